/** A pod's DNS port on the real machine: a query sent there is sent by that pod. */
export interface PodPort {
  readonly pod: string;
  readonly port: number;
}

/** What a server in a pod serves over HTTP, and where the real machine finds it. */
export interface HttpPort {
  readonly pod: string;
  readonly url: string;
}
