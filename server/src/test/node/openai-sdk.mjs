// The stock openai package against a server: a chat, a stream, a tool call, a cancel and an error, over HTTP and over a WebSocket.
// Arguments: the server's address. WEIR_NODE_MODULES is a folder that holds openai and ws. Exits with 0 if all is as it should be.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(process.env.WEIR_NODE_MODULES + '/openai-sdk.js');
const { OpenAI, BadRequestError } = require('openai');
const { ResponsesWS } = require('openai/resources/responses/ws');

const client = new OpenAI({ baseURL: process.argv[2] + '/v1', apiKey: 'unused', maxRetries: 0 });
const model = (await client.models.list()).data[0].id;
const long = { model, input: 'Hello', max_output_tokens: 400, ignore_eos: true };
const parameters = {
  type: 'object',
  properties: { city: { enum: ['Rome', 'Oslo'] } },
  required: ['city'],
  additionalProperties: false,
};
const weather = { type: 'function', name: 'get_weather', description: 'Gets the weather.', parameters, strict: true };
const isEnd = type => ['response.completed', 'response.incomplete', 'response.failed'].includes(type);

async function http() {
  const chat = { model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 30, temperature: 0, ignore_eos: true };
  const whole = await client.chat.completions.create(chat);
  assert.equal(whole.usage.completion_tokens, 30);
  let streamed = '';
  for await (const chunk of await client.chat.completions.create({ ...chat, stream: true })) {
    streamed += chunk.choices[0]?.delta?.content ?? '';
  }
  assert.equal(streamed, whole.choices[0].message.content);

  const { name, description, strict } = weather;
  const asked = await client.chat.completions.create({
    model,
    messages: [{ role: 'user', content: 'How is the weather in Oslo?' }],
    tools: [{ type: 'function', function: { name, description, parameters, strict } }],
    tool_choice: 'required',
  });
  const call = asked.choices[0].message.tool_calls[0];
  assert.ok(['Rome', 'Oslo'].includes(JSON.parse(call.function.arguments).city));
  const answer = await client.chat.completions.create({
    ...chat,
    messages: [...chat.messages, asked.choices[0].message, { role: 'tool', tool_call_id: call.id, content: 'sunny' }],
  });
  assert.ok(answer.choices[0].message.content.length > 0);

  let id;
  let last;
  let isCancelled = false;
  for await (const event of await client.responses.create({ ...long, stream: true })) {
    id ??= event.response?.id;
    last = event;
    if (event.type === 'response.output_text.delta' && !isCancelled) {
      isCancelled = true;
      await client.responses.cancel(id);
    }
  }
  assert.equal(last.response.status, 'cancelled');
  assert.equal((await client.responses.retrieve(id)).status, 'cancelled');

  await assert.rejects(client.responses.create({ ...long, temperature: 7 }), error => {
    assert.ok(error instanceof BadRequestError);
    assert.equal(error.param, 'temperature');
    return true;
  });
}

// The events of one response, the last one included; what each of them calls may send something more.
function events(socket, request, each = () => {}) {
  return new Promise((resolve, reject) => {
    const all = [];
    const seen = event => {
      all.push(event);
      each(event);
      if (isEnd(event.type) || event.type === 'error') {
        socket.off('event', seen);
        resolve(all);
      }
    };
    socket.on('event', seen);
    socket.on('close', (code, reason) => reject(new Error(`closed: ${code} ${reason}`)));
    socket.send({ type: 'response.create', ...request });
  });
}

async function conversation() {
  const begun = await client.conversations.create();
  const first = await client.responses.create({ model, conversation: begun.id, input: 'Hello', max_output_tokens: 20 });
  assert.equal(first.conversation.id, begun.id);
  await client.responses.create({ model, conversation: { id: begun.id }, input: 'More.', max_output_tokens: 20 });
  const texts = [];
  for await (const item of client.conversations.items.list(begun.id, { order: 'asc', limit: 1 })) {
    texts.push(item.content[0].text);
  }
  assert.equal(texts.length, 4);
  assert.deepEqual([texts[0], texts[1], texts[2]], ['Hello', first.output_text, 'More.']);
  const added = await client.conversations.items.create(begun.id, { items: [{ role: 'user', content: 'Bye.' }] });
  const named = { conversation_id: begun.id };
  const item = await client.conversations.items.retrieve(added.data[0].id, named);
  assert.deepEqual(item, added.data[0]);
  await client.conversations.items.delete(item.id, named);
  await assert.rejects(client.conversations.items.retrieve(item.id, named), { status: 404, code: 'item_not_found' });
  await client.conversations.update(begun.id, { metadata: { topic: 'rain' } });
  assert.deepEqual((await client.conversations.retrieve(begun.id)).metadata, { topic: 'rain' });
  assert.ok((await client.conversations.delete(begun.id)).deleted);
  await assert.rejects(client.conversations.retrieve(begun.id), { status: 404, code: 'conversation_not_found' });
}

async function webSocket() {
  const socket = new ResponsesWS(client);
  socket.on('error', () => {}); // it comes as an event too
  const told = await events(socket, { ...long, max_output_tokens: 30, temperature: 0 });
  const deltas = told.filter(event => event.type === 'response.output_text.delta').map(event => event.delta);
  const { response } = told.at(-1);
  assert.equal(deltas.join(''), response.output[0].content[0].text);
  assert.equal(response.usage.output_tokens, 30);

  const asked = await events(socket, { model, input: 'How is the weather?', tools: [weather], tool_choice: 'required' });
  const call = asked.at(-1).response.output.find(item => item.type === 'function_call');
  assert.ok(['Rome', 'Oslo'].includes(JSON.parse(call.arguments).city));
  const answer = await events(socket, {
    model,
    previous_response_id: asked.at(-1).response.id,
    input: [{ type: 'function_call_output', call_id: call.call_id, output: 'sunny' }],
    max_output_tokens: 20,
    ignore_eos: true,
  });
  assert.equal(answer.at(-1).response.usage.output_tokens, 20);

  let id;
  let isCancelled = false;
  const cut = await events(socket, long, event => {
    id ??= event.response?.id;
    if (event.type === 'response.output_text.delta' && !isCancelled) {
      isCancelled = true;
      socket.sendRaw(JSON.stringify({ type: 'response.cancel', response_id: id }));
    }
  });
  assert.equal(cut.at(-1).response.status, 'cancelled');

  const refused = await events(socket, { ...long, temperature: 7 });
  assert.equal(refused.at(-1).error.param, 'temperature');
  socket.close();
}

await http();
await conversation();
await webSocket();
console.log(`all is well with openai ${require('openai/version').VERSION}`);
