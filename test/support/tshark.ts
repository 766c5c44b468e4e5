/** Options of tshark that check checksums and print fields, which `-e` names, with a comma between them. */
export const CHECKED_FIELDS: readonly string[] = [
  ...['-o', 'ip.check_checksum:TRUE', '-o', 'udp.check_checksum:TRUE'],
  ...['-T', 'fields', '-E', 'separator=,'],
];
