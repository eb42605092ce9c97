const PATHS = {
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM14 14l-3.4-3.4",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.8V8l2.2 1.4",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7Z",
  copy: "M5.5 5.5h8v8h-8zM3 10.5H2.5v-8h8V3",
  check: "M3 8.5 6.5 12 13 4.5",
  close: "M4 4l8 8M12 4l-8 8",
  left: "M10 3 5 8l5 5",
  right: "M6 3l5 5-5 5",
  down: "M3.5 6 8 10.5 12.5 6",
  keys: "M1.5 4h13v8h-13zM4 6.5h.01M6.5 6.5h.01M9 6.5h.01M11.5 6.5h.01M5 9.5h6",
  shield: "M8 1.5 13.5 3.5v4c0 3.5-2.300 5.800-5.5 7-3.200-1.200-5.5-3.5-5.5-7v-4z",
  home: "M2 7.5 8 2.5l6 5V14H2zM6.5 14v-4h3v4",
  list: "M2.5 4h11M2.5 8h11M2.5 12h11",
  talk: "M2 3h12v8H7l-3 3v-3H2z",
  person: "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM2.5 14.500c0-3 2.500-4.500 5.500-4.500s5.500 1.500 5.500 4.500",
  wave: "M1.500 8c2-6 3.500-6 5 0s3.500 6 5 0 2-4 3-4",
  scales: "M8 2v12M5 14h6M3 4.500h10M3 4.500 1.300 9h3.400zM13 4.500 11.300 9h3.400z",
  coin: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM10 5.800c-2-1.500-4-.5-4 .7 0 2 4 1 4 3 0 1.300-2.300 2-4 .6M8 4v8",
  prompt: "M2.500 4l4 4-4 4M8 12h5.500",
  page: "M3.500 1.500h6l3 3v10h-9zM9.500 1.500v3h3M5.500 8h5M5.500 11h5",
  bell: "M3.500 11.500c1-1 1-2 1-4a3.500 3.500 0 0 1 7 0c0 2 0 3 1 4zM6.500 14h3",
  pulse: "M1.500 8.500h3l2-5 3 9 2-4h3",
  dials: "M2 4.500h7M12 4.500h2M2 11.500h2M7 11.500h7M10.500 6a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3ZM5.500 13a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3Z",
  menu: "M2 4h12M2 8h12M2 12h12",
  warning: "M8 2 15 14H1zM8 6.5v3.5M8 12h.01",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">
      <path d={PATHS[name]} />
    </svg>
  );
}
