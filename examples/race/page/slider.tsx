import type { ComponentChildren, JSX } from 'preact';

interface SliderProps {
  readonly label: string;
  /** Its effect; if it has none at present, the reason. */
  readonly purpose: string;
  readonly isWithoutEffect?: boolean;
  readonly min: number;
  /** Smallest selectable value, if it is not `min`. */
  readonly least?: number;
  readonly max: number;
  readonly step: number;
  readonly value: number;
  readonly shown: string;
  readonly onChange: (value: number) => void;
  /** Numbers beside the purpose. */
  readonly children?: ComponentChildren;
}

/** A native range with its label, its value and its purpose. */
export function Slider(props: SliderProps): JSX.Element {
  const { label, purpose, isWithoutEffect, shown, onChange, least, children, ...range } = props;
  const choose = (slider: HTMLInputElement): void => {
    slider.valueAsNumber = Math.max(slider.valueAsNumber, least ?? range.min);
    onChange(slider.valueAsNumber);
  };
  const id = `slider-${label.split(' ')[0]!.toLowerCase()}`;
  return (
    <div class={`slider${isWithoutEffect ? ' idle' : ''}`}>
      <label for={id}>{label}</label>
      <output for={id}>{isWithoutEffect ? '–' : shown}</output>
      <input
        id={id}
        type="range"
        {...range}
        disabled={isWithoutEffect}
        aria-valuetext={shown}
        style={{ '--part': (range.value - range.min) / (range.max - range.min) }}
        aria-describedby={`${id}-purpose`}
        onInput={(event) => choose(event.currentTarget)}
      />
      <p class="purpose">
        <small id={`${id}-purpose`}>{purpose}</small>
        {children}
      </p>
    </div>
  );
}
