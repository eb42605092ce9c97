import { render } from "preact";
import { App } from "./app";
import { followLinks } from "./place";
import "uplot/dist/uPlot.min.css";
import "./tokens.css";
import "./page.css";
import "./shell.css";

document.addEventListener("click", followLinks);
render(<App />, document.getElementById("page")!);
