/**
 * Asks the server which models it serves.
 *
 * @returns {Promise<{name: string, contextTokens: number}[]>} the default first; `contextTokens` is what prompt and answer
 *     may take together, 0 where the server does not say
 * @throws {Error} with a reason for the reader, if the server does not answer or refuses; `wantsKey` is true where it
 *     refuses for want of an API key
 */
export async function fetchModels(apiKey) {
  const headers = apiKey ? { Authorization: `Bearer ${apiKey}` } : {};
  const response = await fetch("v1/models", { headers }).catch(() => {
    throw new Error("");
  });
  if (response.status === 401) {
    const reason = apiKey ? "the server refused the API key" : "the server wants an API key (see Settings)";
    throw Object.assign(new Error(reason), { wantsKey: true });
  }
  if (!response.ok) throw new Error(`the server answered ${response.status} to /v1/models`);
  const { data } = await response.json();
  return data.map(({ id, max_model_len: contextTokens = 0 }) => ({ name: id, contextTokens }));
}
