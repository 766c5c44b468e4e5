import { describe, expect, it } from 'vitest';
import { OtherInstances } from '../../src/nodelocal/other-instances.js';

const others = new OtherInstances(() => [
  { address: '169.254.20.10', port: 53 },
  { address: 'FD00::A', port: 9253 },
]);

describe('other node caches', () => {
  it.each([
    { address: '169.254.20.10', port: undefined, want: true },
    { address: '169.254.20.10', port: 53, want: true },
    { address: '169.254.20.10', port: 9253, want: false },
    { address: 'fd00:0::a', port: undefined, want: true },
    { address: '169.254.20.11', port: 53, want: false },
  ])('are reached at $address port $port: $want', ({ address, port, want }) =>
    expect(others.at(address, port)).toBe(want),
  );

  it.each([
    { addresses: ['10.96.0.10', '169.254.20.10'], port: 53, want: true },
    { addresses: ['fd00::a'], port: 53, want: false },
    { addresses: [], port: 53, want: false },
  ])('serve DNS at one of $addresses, port $port: $want', ({ addresses, port, want }) =>
    expect(others.serve(addresses, port)).toBe(want),
  );
});
