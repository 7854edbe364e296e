// Describes the machine, as far as the browser tells. Runs in the worker.

import { type KernelName, kernelInfo, selectKernel } from 'knowledge-distillation';

export interface Machine {
  readonly browser: string;
  readonly system: string;
  readonly cores: number;
  /** Gigabytes of memory, which browsers round; undefined where the browser does not tell. */
  readonly gigabytes?: number;
  /** The graphics card; undefined if WebGL 2 does not work in workers. */
  readonly graphics?: string;
  /** True if the page may share memory between threads. */
  readonly isIsolated: boolean;
  /** Smallest step of the clock, in milliseconds. */
  readonly clock: number;
  readonly kernel: KernelName;
  /** Why the kernel was chosen. */
  readonly kernelReason: string;
}

/** What Chromium tells beyond the user agent; not in TypeScript's library. */
interface UserAgentData {
  readonly brands: readonly { readonly brand: string; readonly version: string }[];
  getHighEntropyValues(hints: readonly string[]): Promise<{
    readonly platform: string;
    readonly platformVersion?: string;
    readonly architecture?: string;
    readonly bitness?: string;
  }>;
}

type Told = Navigator & { userAgentData?: UserAgentData; deviceMemory?: number };

export async function describeMachine(): Promise<Machine> {
  const { userAgent, userAgentData, hardwareConcurrency, deviceMemory } = navigator as Told;
  selectKernel('auto');
  const { kernel, reason } = kernelInfo();
  const graphics = graphicsCard();
  return {
    ...(userAgentData ? await describeBrowser(userAgentData) : parse(userAgent)),
    cores: hardwareConcurrency,
    ...(deviceMemory !== undefined && { gigabytes: deviceMemory }),
    ...(graphics !== undefined && { graphics }),
    isIsolated: crossOriginIsolated,
    clock: stepOfClock(),
    kernel,
    kernelReason: reason,
  };
}

async function describeBrowser(data: UserAgentData): Promise<Pick<Machine, 'browser' | 'system'>> {
  const { platform, platformVersion, architecture, bitness } = await data.getHighEntropyValues([
    'architecture',
    'bitness',
    'platformVersion',
  ]);
  // One brand is invented, so that sites do not rely on a list; its name has other characters.
  const known = data.brands.filter(({ brand }) => /^[\w ]+$/.test(brand) && !/not/i.test(brand));
  const named = known.find(({ brand }) => brand !== 'Chromium') ?? known[0];
  return {
    browser: named ? `${named.brand} ${named.version}` : 'unknown browser',
    system: [platform, platformVersion, architecture, bitness && `${bitness} bits`]
      .filter(Boolean)
      .join(' '),
  };
}

/** Reads the browser and the system from a user agent, such as that of Firefox or Safari. */
export function parse(userAgent: string): Pick<Machine, 'browser' | 'system'> {
  const [, system = 'unknown system'] = /\(([^)]*)\)/.exec(userAgent) ?? [];
  const [, name, version] =
    /(Firefox)\/([\d.]+)/.exec(userAgent) ??
    /(Edg|Chrome)\/(\d+)/.exec(userAgent) ??
    /Version\/[\d.]+.*(Safari)/.exec(userAgent) ??
    [];
  const [, safari] = /Version\/([\d.]+)/.exec(userAgent) ?? [];
  return {
    browser: name ? `${name} ${version ?? safari ?? ''}`.trim() : 'unknown browser',
    system,
  };
}

/** Returns the name of the graphics card, or says that the browser renders in software. */
export function graphicsCard(): string | undefined {
  if (typeof OffscreenCanvas === 'undefined') return undefined;
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2');
  if (!gl) return undefined;
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  const isSoftware = /swiftshader|llvmpipe|software|basic render/i.test(name);
  return isSoftware ? 'software rendering, no graphics card' : name;
}

/** Returns the smallest step of several of the clock, in milliseconds. */
function stepOfClock(): number {
  let step = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 5; tries++) {
    const start = performance.now();
    let now = start;
    while (now === start) now = performance.now();
    step = Math.min(step, now - start);
  }
  return Math.round(1e4 * step) / 1e4;
}
