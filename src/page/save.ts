/** Time that a browser has to take a file on, in milliseconds. */
const TAKEN = 60_000;

/** Gives the visitor a file. */
export function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), TAKEN);
}

/** A name for a file: letters, digits, dots and dashes. */
export const fileName = (what: string, name: string, ending: string): string =>
  `${what}-${name.replace(/[^\w.-]+/g, '-').replace(/\.+$/, '')}.${ending}`;
