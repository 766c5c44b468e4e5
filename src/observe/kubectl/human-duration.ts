import type { Milliseconds } from '../../lib/units.js';

/**
 * An age as kubectl prints it: two units while they matter (`97s`, `7m38s`, `130m`, `6h17m`, `8h`, `3d4h`, `30d`,
 * `2y40d`).
 */
export function humanDuration(age: Milliseconds): string {
  const seconds = Math.floor(age / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 120) return `${Math.max(0, seconds)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return joined(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return joined(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return joined(days, 'd', hours % 24, 'h');
  if (days < 730) return `${days}d`;
  return days < 365 * 8 ? joined(Math.floor(days / 365), 'y', days % 365, 'd') : `${Math.floor(days / 365)}y`;
}

const joined = (major: number, unit: string, minor: number, smaller: string): string =>
  `${major}${unit}${minor === 0 ? '' : `${minor}${smaller}`}`;
