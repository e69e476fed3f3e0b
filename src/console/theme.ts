import { Anchor, createTheme } from "@mantine/core";

/** Only what needs no variables of its own: those stand in console.css, since the policy lets in no style elements. */
export const theme = createTheme({
  cursorType: "pointer",
  respectReducedMotion: true,
  // In a sentence colour alone does not tell a link (WCAG 2.2, 1.4.1).
  components: { Anchor: Anchor.extend({ defaultProps: { underline: "always" } }) },
});
