import { useState } from "preact/hooks";
import { count } from "../format";
import { Copy } from "./copy";
import { Icon } from "./icon";

const KEY = "spanward.demo-banner";
const REMOVE = "spanward demo --remove";

export function Banner({ demo }: { demo: number }) {
  const [closed, close] = useState(() => sessionStorage.getItem(KEY) === "closed");
  if (!demo || closed) return null;
  const shut = () => {
    sessionStorage.setItem(KEY, "closed");
    close(true);
  };
  return (
    <aside class="banner">
      <span>{count(demo)} calls here are <a href="/calls?env=demo&from=now-30d">demonstration data</a>. Remove them with <code>{REMOVE}</code></span>
      <Copy text={REMOVE} what="command" />
      <button type="button" class="ghost" onClick={shut} aria-label="Hide this note"><Icon name="close" /></button>
    </aside>
  );
}
