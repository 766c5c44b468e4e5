/** How a program lays out its columns, in characters; the names are those of Go's text/tabwriter. */
export interface TableStyle {
  /** Least width of a column, padding included. */
  readonly minWidth: number;
  readonly padding: number;
}

/** Tables of kubectl. */
export const KUBECTL_TABLE: TableStyle = { minWidth: 6, padding: 3 };
/** Tables of cilium-dbg. */
export const CILIUM_TABLE: TableStyle = { minWidth: 5, padding: 3 };

/**
 * Lays rows out in columns of blanks as text/tabwriter does: a cell is padded to the widest of its column's unbroken
 * run of rows;
 * the last cell of a row belongs to no column and is not padded. Where a program closes its last cell too, give it an
 * empty one.
 */
export function layOut(rows: readonly (readonly string[])[], { minWidth, padding }: TableStyle): string[] {
  const widths = rows.map((row) => new Array<number>(Math.max(0, row.length - 1)).fill(0));
  const columns = Math.max(...widths.map((row) => row.length));
  for (let column = 0; column < columns; column++) {
    for (let start = 0; start < rows.length; start++) {
      let end = start;
      let widest = 0;
      for (; end < rows.length && column < widths[end]!.length; end++)
        widest = Math.max(widest, length(rows[end]![column]!));
      for (let row = start; row < end; row++) widths[row]![column] = Math.max(minWidth, widest + padding);
      start = end;
    }
  }
  return rows.map((row, i) =>
    row
      .map((cell, column) => {
        const width = widths[i]![column];
        return width === undefined ? cell : cell + ' '.repeat(width - length(cell));
      })
      .join(''),
  );
}

/** Characters, not UTF-16 units. */
const length = (text: string): number => [...text].length;
