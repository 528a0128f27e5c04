/** A new HTML element with the given properties and children. Text goes in as text: nothing here parses HTML. */
export function element(name, properties = {}, children = []) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}
