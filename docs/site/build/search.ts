import type { Plugin } from 'vite';

/** Attributes of VitePress's search, and what stands in their place. */
const ATTRIBUTES: readonly (readonly [string | RegExp, string])[] = [
  ['role="button"', 'role="dialog" aria-modal="true"'],
  ['aria-expanded="true"', ''],
  ['aria-haspopup="listbox"', ''],
  [/:aria-owns="[^"]+"/, ''],
  [/:role="results\?\.length [^"]+"/, ''],
  [/:aria-selected="[^"]+"/, ''],
  ['role="option"', ''],
  [/<kbd :aria-label/g, '<kbd role="img" :aria-label'],
  [/:aria-label="\[\.\.\.p\.titles[^"]+"/, ''],
];

/**
 * The search of VitePress says that it is a button and that its results, which are links, are
 * options. A screen reader then does not find the links. Here it is a dialog with a list of links.
 */
export const accessibleSearch: Plugin = {
  name: 'accessible-search',
  enforce: 'pre',
  transform(code, id) {
    if (!id.endsWith('/VPLocalSearchBox.vue')) return undefined;
    return ATTRIBUTES.reduce((text, [attribute, replacement]) => {
      if (text.search(attribute) < 0) throw new Error(`the search of VitePress lacks ${attribute}`);
      return text.replace(attribute, replacement);
    }, code);
  },
};
