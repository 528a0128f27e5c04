const KEY = "weir.settings";
const DEFAULTS = { temperature: 0.8, maxTokens: null, system: "", model: "", apiKey: "" };

/** What the reader chose in the drawer, kept by the browser between visits. */
export class Settings {
  #values;
  #onChange;

  constructor(onChange = () => {}) {
    this.#onChange = onChange;
    this.#values = { ...DEFAULTS, ...read(() => localStorage), ...read(() => sessionStorage) };
  }

  get temperature() {
    return this.#values.temperature;
  }

  /** Tokens that an answer may take, or null to leave it to the page. */
  get maxTokens() {
    return this.#values.maxTokens;
  }

  get system() {
    return this.#values.system;
  }

  /** The model asked for, or empty for the server's first. */
  get model() {
    return this.#values.model;
  }

  get apiKey() {
    return this.#values.apiKey;
  }

  /** Takes new values; a number out of its range becomes the nearest one in it. */
  change(values) {
    const next = { ...this.#values, ...values };
    next.temperature = clamp(next.temperature, 0, 2, DEFAULTS.temperature);
    next.maxTokens = clamp(Math.round(next.maxTokens ?? NaN), 1, 1_000_000, null);
    next.system = next.system.trim();
    next.apiKey = next.apiKey.trim();
    this.#values = next;
    // The key goes with the tab; everything else stays.
    const { apiKey, ...lasting } = next;
    write(() => localStorage, lasting);
    write(() => sessionStorage, { apiKey });
    this.#onChange(this);
  }

  reset() {
    this.change(DEFAULTS);
  }
}

function clamp(value, least, most, otherwise) {
  return Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : otherwise;
}

// A browser that forbids storage still chats; it only forgets the settings. Even naming the storage may throw.
function read(storage) {
  try {
    return JSON.parse(storage().getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function write(storage, values) {
  try {
    storage().setItem(KEY, JSON.stringify(values));
  } catch {
    // See read.
  }
}
