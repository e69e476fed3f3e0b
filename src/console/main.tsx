import { MantineProvider } from "@mantine/core";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { rootAddress } from "./api/root-address.ts";
import { Console } from "./console.tsx";
import { LanguageProvider } from "./texts/language.tsx";
import { theme } from "./theme.ts";
import "./mantine.css";
import "./console.css";

// Mantine writes no style elements: the policy of the page lets none in, and mantine.css has what they would say.
createRoot(document.getElementById("root")!).render(
  <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
    <LanguageProvider>
      <BrowserRouter basename={rootAddress.pathname}>
        <Console />
      </BrowserRouter>
    </LanguageProvider>
  </MantineProvider>,
);
