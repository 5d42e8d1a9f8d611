// What okline uses of npm packages that carry no types.

declare module "cli-progress" {
  interface BarOptions {
    readonly format: string;
    readonly formatTime?: (seconds: number | string) => string;
    readonly barsize?: number;
    readonly linewrap?: boolean;
    readonly hideCursor?: boolean;
    readonly gracefulExit?: boolean;
    readonly stream?: { readonly isTTY: boolean; readonly columns: number; write(text: string): boolean };
  }
  interface Preset {
    readonly barCompleteChar: string;
    readonly barIncompleteChar: string;
  }
  class SingleBar {
    constructor(options: BarOptions, preset?: Preset);
    start(total: number, value: number, payload?: Readonly<Record<string, unknown>>): void;
    update(value: number, payload?: Readonly<Record<string, unknown>>): void;
    stop(): void;
  }
  const cliProgress: {
    readonly SingleBar: typeof SingleBar;
    readonly Presets: { readonly shades_classic: Preset };
  };
  export default cliProgress;
}
