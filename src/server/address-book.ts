import type { ServerAddress } from '../chain/index.js';
import type { Scheme } from '../corefile/index.js';
import { labelOf } from './configuration.js';
import type { OpenableAddress } from './listeners.js';

/** All listening addresses that a server has had: each keeps its number from one configuration to the next. */
export class AddressBook {
  private readonly known = new Map<string, OpenableAddress>();

  of(scheme: Scheme, address: string, port: number): ServerAddress {
    const label = labelOf(scheme, address, port);
    let known = this.known.get(label);
    if (!known) {
      known = { index: this.known.size, label, scheme, address, port };
      this.known.set(label, known);
    }
    return known;
  }

  /** A drawn port becomes known. */
  drawn(address: ServerAddress, port: number): void {
    const drawn = this.known.get(address.label)!;
    drawn.port = port;
    drawn.label = labelOf(address.scheme as Scheme, drawn.address, port);
  }

  /** An address under which what no client asks is counted. */
  standIn(server: ServerAddress): ServerAddress {
    const key = `explain ${server.label}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const made = { ...server, index: this.known.size, label: 'explain', standsFor: server };
    this.known.set(key, made);
    return made;
  }
}
