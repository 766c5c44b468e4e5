/** What a list of the API says beside its items. */
export interface ListMeta {
  readonly kind: string;
  readonly resourceVersion: string;
  /** Token for the next page; empty on the last. */
  readonly continue: string;
}
