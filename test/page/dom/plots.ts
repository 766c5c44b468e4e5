import type uPlot from 'uplot';

/** Stands for uPlot, which draws on a canvas: what it was given, and what was asked of it. */
export class Plot {
  readonly sizes: unknown[] = [];
  readonly handed: uPlot.AlignedData[] = [];
  gone = false;

  constructor(
    readonly options: uPlot.Options,
    readonly data: uPlot.AlignedData,
    readonly element: HTMLElement,
  ) {
    plots.push(this);
  }

  setData(data: uPlot.AlignedData): void {
    this.handed.push(data);
  }

  setSize(size: unknown): void {
    this.sizes.push(size);
  }

  destroy(): void {
    this.gone = true;
  }
}

/** All that were made. */
export const plots: Plot[] = [];

export default Plot;
