import type { Report, Request } from '../worker/protocol.js';

/** Time without a due report after which the worker counts as dead, in seconds. */
const PATIENCE = 10;
/**
 * The same limit for a worker without a student: its script may come over a slow network, and a
 * slow device takes its time to prepare.
 */
const PATIENCE_AT_START = 180;

/** The listener of a connection. */
interface Listener {
  /** Called at once for every report; returns true if the report is to be shown. */
  readonly receive: (report: Report) => boolean;
  /** Called in a frame with the newest report of each kind, in the order of their arrival. */
  readonly show: (reports: readonly Report[]) => void;
  /** Called when the worker has failed or died; it is gone then. */
  readonly fail: (reason: string) => void;
  readonly isReportDue: () => boolean;
}

/** A worker, and the reports that it sends. */
export class Connection {
  readonly #listener: Listener;
  readonly #worker: Worker;
  readonly #watch: ReturnType<typeof setInterval>;
  /** True once the worker has opened a student. */
  #hasStarted = false;
  /** Seconds for which a report has been due. */
  #silence = 0;
  #reports: Report[] = [];

  constructor(listener: Listener) {
    this.#listener = listener;
    this.#worker = new Worker(new URL('../worker/main.ts', import.meta.url), { type: 'module' });
    this.#worker.onmessage = ({ data }: MessageEvent<Report>) => this.#receive(data);
    this.#worker.onmessageerror = () => this.#fail('A message of its worker could not be read.');
    this.#worker.onerror = ({ message }) =>
      this.#fail(message ? `Its worker failed: ${message}.` : 'Its worker could not be loaded.');
    // An interval sleeps with the computer, whose sleep therefore does not count.
    this.#watch = setInterval(() => this.#listen(), 1000);
  }

  send(request: Request): void {
    this.#worker.postMessage(request);
  }

  /** Shows the reports that wait for the next frame. */
  flush(): void {
    const reports = this.#reports;
    this.#reports = [];
    if (reports.length > 0) this.#listener.show(reports);
  }

  close(): void {
    clearInterval(this.#watch);
    this.#worker.terminate();
    this.#reports = [];
  }

  #receive(report: Report): void {
    this.#hasStarted ||= report.kind === 'opened';
    this.#silence = 0;
    if (report.kind === 'failed') this.#fail(report.message);
    else if (this.#listener.receive(report)) this.#showLater(report);
  }

  #showLater(report: Report): void {
    if (this.#reports.length === 0) requestAnimationFrame(() => this.flush());
    this.#reports = [...this.#reports.filter((other) => !isReplacedBy(other, report)), report];
  }

  #listen(): void {
    // A page in the background draws no frames, so that its reports wait here.
    if (!this.#listener.isReportDue() || this.#reports.length > 0) {
      this.#silence = 0;
      return;
    }
    this.#silence++;
    const patience = this.#hasStarted ? PATIENCE : PATIENCE_AT_START;
    if (this.#silence > patience) {
      this.#fail(
        `Its worker gave no sign of life for ${patience} seconds: the browser may have ended it.`,
      );
    }
  }

  #fail(reason: string): void {
    this.close();
    this.#listener.fail(reason);
  }
}

function isReplacedBy(older: Report, newer: Report): boolean {
  const model = (report: Report): string | undefined =>
    report.kind === 'answer' ? report.model : undefined;
  return older.kind === newer.kind && model(older) === model(newer);
}
