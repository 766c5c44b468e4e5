import { THEMES, theme } from './theme.js';

/** Light, dark, or as the machine has it. */
export function ThemeSwitch() {
  return (
    <fieldset class="switch theme">
      <legend>Theme</legend>
      {THEMES.map((one) => (
        <label key={one} data-on={theme.value === one || undefined}>
          <input
            type="radio"
            name="theme"
            value={one}
            checked={theme.value === one}
            onChange={() => (theme.value = one)}
          />
          {one}
        </label>
      ))}
    </fieldset>
  );
}
