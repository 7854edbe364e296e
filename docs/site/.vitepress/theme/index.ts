import { type Router, type Theme, withBase } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import 'katex/dist/katex.min.css';
import { keepForOffline } from '../../offline/keep.js';
import './style.css';

const theme: Theme = {
  extends: DefaultTheme,
  enhanceApp: ({ router }) => {
    if (import.meta.env.SSR) return;
    dropMalformedHash();
    keepVisited(router);
  },
};
export default theme;

/** The router decodes the hash without a guard: a page with a malformed one would not start. */
function dropMalformedHash(): void {
  try {
    decodeURIComponent(location.hash);
  } catch {
    history.replaceState(history.state, '', location.pathname + location.search);
  }
}

/** Keeps each page that a reader comes to. */
function keepVisited(router: Router): void {
  const root = withBase('/');
  let isFirst = true;
  router.onAfterRouteChange = async () => {
    if (isFirst) {
      isFirst = false;
      keepForOffline(root);
    } else if (router.route.data.isNotFound) {
      location.reload(); // this build lacks the page, and a newer one may have it
    } else {
      keepForOffline(root, await filesOf(location.href));
    }
  };
}

/** The files that a page loads when it is not reached from another one. */
async function filesOf(page: string): Promise<string[]> {
  const response = await fetch(page);
  const found = new DOMParser().parseFromString(await response.text(), 'text/html');
  const paths = [...found.querySelectorAll('link[href], script[src]')].map(
    (element) => element.getAttribute('href') ?? element.getAttribute('src')!,
  );
  return paths.map((path) => new URL(path, page).href);
}
