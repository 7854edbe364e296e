import { type Plugin, runnerImport } from 'vite';

/**
 * Renders the first state of a page into its index.html, so that it is visible before a script
 * runs.
 *
 * @param entry The module that exports the `html`.
 * @param plugins The plugins that the module needs.
 */
export function prerender(entry: string, plugins: Plugin[] = []): Plugin {
  return {
    name: 'prerender',
    transformIndexHtml: {
      order: 'pre',
      handler: async (html) => {
        const { module } = await runnerImport<{ html: string }>(entry, { plugins });
        return html.replace('<!-- app -->', module.html);
      },
    },
  };
}
