import { posix } from 'node:path';
import type { HtmlTagDescriptor, Plugin } from 'vite';

// What other places show of a page when somebody sends its address. Addresses in these tags are
// absolute if the environment's SITE_URL says where the site will be, and else relative.

/** The address of the site's root, with a slash at its end. */
export const siteUrl: string | undefined = process.env.SITE_URL?.replace(/\/*$/, '/');

/** A page as it is sent. */
interface Sent {
  /** Below the site's root; it ends with a slash or a file. */
  readonly path: string;
  readonly title: string;
  readonly description: string;
  /** The name of its picture in docs/site/pictures. */
  readonly picture: string;
}

type Attributes = Readonly<Record<string, string>>;

/** The tags of a page's head, each by its name and its attributes. */
export function linkTags(page: Sent): [tag: 'meta' | 'link', Attributes][] {
  const { path, title, description, picture } = page;
  const image = `pictures/${picture}.png`;
  const folder = path.replace(/[^/]*$/, '');
  const url = siteUrl && siteUrl + path.replace(/(^|\/)index\.html$/, '$1');
  const graph: Record<string, string> = {
    'og:type': 'website',
    'og:site_name': 'knowledge-distillation',
    'og:title': title,
    'og:description': description,
    'og:image': siteUrl ? siteUrl + image : posix.relative(`/${folder}`, `/${image}`),
    'og:image:width': '1200',
    'og:image:height': '630',
    ...(url ? { 'og:url': url } : {}),
  };
  return [
    ...Object.entries(graph).map(([property, content]): ['meta', Attributes] => [
      'meta',
      { property, content },
    ]),
    ['meta', { name: 'twitter:card', content: 'summary_large_image' }],
    ...(url ? [['link', { rel: 'canonical', href: url }] satisfies ['link', Attributes]] : []),
  ];
}

/** Adds the tags to the index.html of a page that Vite builds into a folder of the site. */
export function addLinkTags(folder: string): Plugin {
  return {
    name: 'link-tags',
    transformIndexHtml: (html): HtmlTagDescriptor[] => {
      const [, title] = /<title>([^<]*)<\/title>/.exec(html) ?? [];
      const [, description] = /<meta\s+name="description"\s+content="([^"]*)"/.exec(html) ?? [];
      if (!title || !description) throw new Error(`${folder} has no title or no description`);
      const sent = { path: `${folder}/`, title, description, picture: folder };
      return linkTags(sent).map(([tag, attrs]) => ({ tag, attrs: { ...attrs }, injectTo: 'head' }));
    },
  };
}
