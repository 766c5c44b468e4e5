import { Bpf } from '../../src/kernel/bpf.js';
import { XDP } from '../../src/kernel/bpf-numbers.js';
import { enterNamespace } from './network-namespace.js';

/** `return XDP_PASS`. */
const PASS = Buffer.from('b7000000020000009500000000000000', 'hex');

/**
 * What XDP sends back through a veth link arrives where the other end has a program of XDP too, whatever that does. The
 * returned function takes it away.
 */
export function passAll(namespace: string, device: string): () => void {
  const bpf = new Bpf();
  const leave = enterNamespace(namespace);
  try {
    const program = bpf.loadProgram(PASS, 'Apache-2.0', 'test_pass', XDP);
    const link = bpf.attach(program, bpf.deviceNumber(device), XDP);
    bpf.close(program);
    return () => bpf.close(link);
  } finally {
    leave();
  }
}
