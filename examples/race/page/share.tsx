import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { Copy } from './copy.js';
import { writeLink } from './link.js';
import type { AppProps } from './props.js';

/** Shares a link to the page with this recipe and drawing. */
export function Share({ race, drawing }: AppProps): JSX.Element {
  const link = (): string => {
    const hash = writeLink({ recipe: race.recipe.value, drawing: drawing.value });
    return new URL(hash, location.href).href;
  };
  const canShare = useSignal(false);
  useSignalEffect(() => {
    canShare.value = 'share' in navigator && matchMedia('(pointer: coarse)').matches;
  });
  return canShare.value ? (
    <button type="button" onClick={() => share(link())}>
      Share
    </button>
  ) : (
    <Copy
      label="Copy link"
      text={link}
      copied="Copied: the link holds recipe and drawing."
      refused="The browser refused. Copy the address of this page."
    />
  );
}

async function share(url: string): Promise<void> {
  try {
    await navigator.share({ title: document.title, url });
  } catch {
    // The visitor has changed their mind.
  }
}
