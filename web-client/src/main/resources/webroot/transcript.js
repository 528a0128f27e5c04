import { Turn } from "./turn.js";

const KEY = "weir.transcript";

/** The conversation of this browser tab, kept over a reload of the page and gone with the tab. */
export const transcript = {
  /** The turns that were saved, oldest first. */
  load() {
    try {
      return (JSON.parse(sessionStorage.getItem(KEY)) ?? []).map(Turn.from);
    } catch {
      return [];
    }
  },

  save(turns) {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(turns));
    } catch {
      // Storage is forbidden or full: the conversation lives as long as the page.
    }
  },
};
