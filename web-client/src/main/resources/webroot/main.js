import { Announcer } from "./announcer.js";
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { Drawer } from "./drawer.js";
import { Follower } from "./follower.js";
import { fetchModels } from "./models.js";
import { Settings } from "./settings.js";
import { ResponsesSocket } from "./socket.js";
import { StatusLine } from "./status-line.js";
import { transcript } from "./transcript.js";
import { TranscriptView } from "./transcript-view.js";

// Wires the page together. Words travel: composer -> chat -> socket -> server -> socket -> chat -> transcript view.

const byId = (id) => document.getElementById(id);

const USUAL_MAX_TOKENS = 256;

let models = [];
let connection = { name: "connecting" };

const settings = new Settings(settingsChanged);
let apiKey = settings.apiKey;

const socket = new ResponsesSocket({
  apiKey,
  prepare: learnModels,
  onState: connectionChanged,
  onEvent: (event) => chat.receive(event),
});
const chat = new Chat({ send: (event) => socket.send(event), parameters, onChange: turnChanged });

const announcer = new Announcer(byId("announcer"));
const follower = new Follower(byId("scroller"), byId("to-end"));
const view = new TranscriptView({
  list: byId("turns"),
  welcome: byId("welcome"),
  follower,
  onRetry: () => chat.retry(),
});
const composer = new Composer({
  form: byId("composer"),
  field: byId("prompt"),
  send: byId("send"),
  stop: byId("stop"),
  onSend: ask,
  onStop: () => chat.stop(),
});
const drawer = new Drawer({ dialog: byId("settings"), opener: byId("open-settings"), settings });
const statusLine = new StatusLine({
  node: byId("status"),
  words: byId("status-words"),
  button: byId("reconnect"),
  onRetry: () => socket.connect(),
});

byId("new-chat").addEventListener("click", () => {
  chat.clear();
  view.clear();
  composer.isBusy = false;
  transcript.save(chat.turns);
  composer.focus();
});
byId("examples").addEventListener("click", ({ target }) => {
  const example = target.closest("button");
  if (example && ask(example.textContent)) composer.focus();
});
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape" && !byId("settings").open) chat.stop();
});
addEventListener("online", () => socket.connect());
addEventListener("pagehide", () => transcript.save(chat.turns));

chat.restore(transcript.load());
chat.turns.forEach((turn) => view.show(turn));
composer.isBusy = chat.open !== null;
composer.focus();
socket.connect();

function ask(text) {
  const taken = chat.ask(text);
  if (taken) {
    follower.follow();
    announcer.asked();
  }
  return taken;
}

/** What the next request asks for, apart from its messages. */
function parameters() {
  return {
    model: model().name,
    system: settings.system,
    sampling: { temperature: settings.temperature, max_output_tokens: settings.maxTokens ?? usualMaxTokens() },
  };
}

function model() {
  return models.find(({ name }) => name === settings.model) ?? models[0] ?? { name: "", contextTokens: 0 };
}

/** A page of text, and never more than half of the model's context, so that a prompt fits beside it. */
function usualMaxTokens() {
  const { contextTokens } = model();
  return contextTokens ? Math.min(USUAL_MAX_TOKENS, Math.floor(contextTokens / 2)) : USUAL_MAX_TOKENS;
}

async function learnModels() {
  const key = apiKey;
  models = await fetchModels(key).catch((error) => {
    // The reader may have given another key while the server refused this one.
    if (error.wantsKey && key === apiKey) drawer.askForKey();
    throw error;
  });
  drawer.models = models;
  drawer.usualMaxTokens = usualMaxTokens();
}

function turnChanged(turn) {
  view.show(turn);
  composer.isBusy = chat.open !== null;
  if (turn.isOpen) return;
  announcer.ended(turn);
  transcript.save(chat.turns);
}

function connectionChanged(state) {
  if (connection.name === "connected" && state.name !== "connected") {
    announcer.lost();
    chat.disconnected();
  }
  connection = state;
  statusLine.show(state, model().name);
  if (state.name === "connected") chat.connected();
}

function settingsChanged() {
  statusLine.show(connection, model().name);
  if (apiKey === settings.apiKey) return;
  apiKey = settings.apiKey;
  socket.useApiKey(apiKey);
  composer.focus();
}
