import { element } from "./element.js";

/** The settings drawer: a modal dialog whose fields write to the settings as they change. */
export class Drawer {
  #dialog;
  #settings;
  #fields;
  #temperatureValue;
  #refusedKey = null;

  constructor({ dialog, opener, settings }) {
    this.#dialog = dialog;
    this.#settings = settings;
    this.#fields = dialog.querySelector("form").elements;
    this.#temperatureValue = dialog.querySelector("output");
    opener.addEventListener("click", () => this.open());
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
    dialog.addEventListener("close", () => this.#take());
    this.#fields.temperature.addEventListener("input", ({ target }) => {
      this.#temperatureValue.textContent = target.valueAsNumber.toFixed(1);
    });
    this.#fields.reset.addEventListener("click", () => {
      settings.reset();
      this.#fill();
    });
  }

  open() {
    this.#fill();
    this.#dialog.showModal();
  }

  /** Offers the server's models to choose from, where there is a choice. */
  set models(models) {
    this.#fields.model.replaceChildren(...models.map(({ name }) => element("option", { value: name, textContent: name })));
    this.#fields.model.closest(".field").hidden = models.length < 2;
  }

  /** Asks for an API key, which the server wants: once for each key that it refuses, however often it does. */
  askForKey() {
    const { apiKey } = this.#settings;
    this.#fields.apiKey.closest(".field").hidden = false;
    if (this.#refusedKey === apiKey) return;
    this.#refusedKey = apiKey;
    // Chromium gives the focus back to a field without its cursor: what is typed then is lost.
    document.activeElement?.blur();
    if (!this.#dialog.open) this.open();
    this.#fields.apiKey.focus();
  }

  /** The length of an answer while the reader has chosen none. */
  set usualMaxTokens(tokens) {
    this.#fields.maxTokens.placeholder = tokens;
  }

  #fill() {
    const { temperature, maxTokens, system, model, apiKey } = this.#settings;
    this.#fields.temperature.valueAsNumber = temperature;
    this.#temperatureValue.textContent = temperature.toFixed(1);
    this.#fields.maxTokens.value = maxTokens ?? "";
    this.#fields.system.value = system;
    this.#fields.apiKey.value = apiKey;
    if (apiKey) this.#fields.apiKey.closest(".field").hidden = false;
    if (model) this.#fields.model.value = model;
  }

  #take() {
    const fields = this.#fields;
    this.#settings.change({
      temperature: fields.temperature.valueAsNumber,
      maxTokens: fields.maxTokens.valueAsNumber,
      system: fields.system.value,
      model: fields.model.value,
      apiKey: fields.apiKey.value,
    });
  }
}
