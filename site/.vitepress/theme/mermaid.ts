import { useData } from "vitepress";
import { defineComponent, h, onMounted, ref, useId, watch } from "vue";

/** A diagram, drawn in the browser in the page's colours; its source until then. A click fills the window with it. */
export const Mermaid = defineComponent({
  props: {
    /** Percent-encoded. */
    source: { type: String, required: true },
  },
  setup(props) {
    const source = decodeURIComponent(props.source);
    const { isDark } = useData();
    const id = `diagram-${useId()}`;
    const svg = ref("");
    const isLarge = ref(false);

    async function draw(): Promise<void> {
      const { default: mermaid } = await import("mermaid");
      mermaid.initialize({
        startOnLoad: false,
        theme: isDark.value ? "dark" : "neutral",
        themeVariables: { clusterBkg: "transparent" },
        fontFamily: "var(--vp-font-family-base)",
        flowchart: { nodeSpacing: 20, rankSpacing: 25, wrappingWidth: 110 },
        sequence: { width: 110, actorMargin: 10 },
      });
      svg.value = (await mermaid.render(id, source)).svg;
    }
    onMounted(() => watch(isDark, draw, { immediate: true }));

    return () => {
      if (svg.value === "") return h("pre", { class: "diagram" }, source);
      return h("button", {
        type: "button",
        class: { diagram: true, large: isLarge.value },
        style: { "--natural-width": naturalWidth(svg.value) },
        title: isLarge.value ? "Reduce" : "Enlarge",
        onClick: () => (isLarge.value = !isLarge.value),
        innerHTML: svg.value,
      });
    };
  },
});

function naturalWidth(svg: string): string {
  return `${/viewBox="\S+ \S+ (\S+)/.exec(svg)?.[1] ?? 0}px`;
}
