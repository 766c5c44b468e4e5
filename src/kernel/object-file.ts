/** Places of an ELF file of 64 bits (elf(5)), as far as clang writes it for BPF. */
const SECTION_TABLE = 40;
const SECTION_SIZE = 58;
const SECTION_COUNT = 60;
const NAMES = 62;
const SYMBOL: number = 24;
const RELOCATION: number = 16;
const SHT_SYMTAB = 2;
const SHT_REL = 9;
/** A relocation of an instruction that loads 64 bits: the only kind here (R_BPF_64_64). */
const LOADS_ADDRESS = 1;
/** In the source register of such an instruction: its value is the descriptor of a map. */
const PSEUDO_MAP_FD = 1;

interface ElfSection {
  readonly name: string;
  readonly type: number;
  readonly bytes: Buffer;
  readonly link: number;
  readonly info: number;
}

/** A compiled program. */
export interface BpfObject {
  readonly license: string;
  /** The instructions of the section, with descriptors in the place of the names of maps. */
  program(section: string, map: (name: string) => number): Buffer;
}

/** Reads what clang writes for `-target bpf`. Throws an Error for anything else. */
export function readObject(file: Buffer): BpfObject {
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1)
    throw new Error('BPF program: not an ELF file of 64 bits with the low byte first');
  const sections = readSections(file);
  const find = (name: string): ElfSection => {
    const found = sections.find((section) => section.name === name);
    if (found === undefined) throw new Error(`BPF program: no section ${name}`);
    return found;
  };
  return {
    license: textAt(find('license').bytes, 0),
    program(name, map) {
      const code = Buffer.from(find(name).bytes);
      const number = sections.indexOf(find(name));
      for (const section of sections)
        if (section.type === SHT_REL && section.info === number) relocate(code, section, sections, map);
      return code;
    },
  };
}

function readSections(file: Buffer): ElfSection[] {
  const table = Number(file.readBigUInt64LE(SECTION_TABLE));
  const size = file.readUInt16LE(SECTION_SIZE);
  const raw = Array.from({ length: file.readUInt16LE(SECTION_COUNT) }, (_, i) => {
    const at = table + i * size;
    const from = Number(file.readBigUInt64LE(at + 24));
    return {
      nameAt: file.readUInt32LE(at),
      type: file.readUInt32LE(at + 4),
      bytes: file.subarray(from, from + Number(file.readBigUInt64LE(at + 32))),
      link: file.readUInt32LE(at + 40),
      info: file.readUInt32LE(at + 44),
    };
  });
  const names = raw[file.readUInt16LE(NAMES)]!.bytes;
  return raw.map((section) => ({ ...section, name: textAt(names, section.nameAt) }));
}

function relocate(
  code: Buffer,
  { bytes }: ElfSection,
  sections: readonly ElfSection[],
  map: (name: string) => number,
): void {
  const symbols = sections.find(({ type }) => type === SHT_SYMTAB)!;
  const names = sections[symbols.link]!.bytes;
  for (let at = 0; at < bytes.length; at += RELOCATION) {
    const place = Number(bytes.readBigUInt64LE(at));
    const kind = bytes.readUInt32LE(at + 8);
    if (kind !== LOADS_ADDRESS) throw new Error(`BPF program: relocation of kind ${kind}, allowed: ${LOADS_ADDRESS}`);
    const symbol = bytes.readUInt32LE(at + 12);
    const name = textAt(names, symbols.bytes.readUInt32LE(symbol * SYMBOL));
    code[place + 1] = (code[place + 1]! & 0x0f) | (PSEUDO_MAP_FD << 4);
    code.writeInt32LE(map(name), place + 4);
  }
}

const textAt = (bytes: Buffer, at: number): string => bytes.toString('latin1', at, bytes.indexOf(0, at));
