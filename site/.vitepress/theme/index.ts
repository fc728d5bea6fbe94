import theme from "vitepress/theme";
import type { Theme } from "vitepress";
import { Mermaid } from "./mermaid";
import "./style.css";

export default {
  extends: theme,
  enhanceApp: ({ app }) => void app.component("Mermaid", Mermaid),
} satisfies Theme;
