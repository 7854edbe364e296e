import type { JSX } from 'preact';
import { mostLikelyOf } from '../../shared/statistics.js';
import { formatProbability } from './format.js';

interface BarsProps {
  readonly label: string;
  /** Probability of each digit; undefined while there is no answer. */
  readonly probabilities: Float32Array | undefined;
  /** Probabilities before they were softened, as thin bars above the others. */
  readonly original?: Float32Array | undefined;
}

/** The probability of each digit, as bars and numbers. */
export function Bars({ label, probabilities, original }: BarsProps): JSX.Element {
  const best = probabilities && mostLikelyOf(probabilities);
  return (
    <ul class="bars" aria-label={label}>
      {Array.from({ length: 10 }, (_, digit) => {
        const probability = probabilities?.[digit];
        return (
          <li key={digit} class={digit === best ? 'best' : undefined}>
            <span>{digit}</span>
            <span class="tracks" aria-hidden="true">
              {original && <Track part={original[digit]!} kind="original" />}
              <Track part={probability ?? 0} kind="main" />
            </span>
            <span class="value">
              {probability === undefined ? '' : formatProbability(probability)}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function Track({ part, kind }: { readonly part: number; readonly kind: string }): JSX.Element {
  return (
    <span class={`track ${kind}`}>
      <span class="fill" style={{ transform: `scaleX(${part})` }} />
    </span>
  );
}
