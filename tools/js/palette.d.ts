/** What `join` in capslib/widgets/base.py writes from capslib.style. */
export const COLOURS: Record<string, string>;
export const SCALES: Record<string, string[]>;
