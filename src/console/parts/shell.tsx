import { Button, Container } from "@mantine/core";
import type { ReactNode } from "react";
import { NavLink } from "react-router";
import { forgetKey, useKeyState } from "../api/api-key.ts";
import { useSpeech } from "../texts/language.tsx";
import { LanguageSwitch } from "./language-switch.tsx";
import { SchemeSwitch } from "./scheme-switch.tsx";

/** What stands around every page: the way to the others, the language and the colours. */
export function Shell({ children }: { children: ReactNode }) {
  const { texts } = useSpeech();
  const { key } = useKeyState();
  return (
    <>
      {/* No link: an address that is a fragment alone leads to the page's base, which is another page. */}
      <button type="button" className="skip" onClick={() => document.getElementById("content")?.focus()}>
        {texts.skipToContent}
      </button>
      <header className="header">
        <Container size="lg" className="header-row">
          <NavLink to="/" className="brand" aria-label={texts.service}>
            <span className="brand-mark" aria-hidden="true" />
            <span className="brand-name">{texts.service}</span>
          </NavLink>
          <nav className="nav" aria-label={texts.service}>
            <NavLink to="/" end>
              {texts.home}
            </NavLink>
            <NavLink to="/datasets">{texts.datasets}</NavLink>
            <NavLink to="/runs">{texts.runs}</NavLink>
            <NavLink to="/models">{texts.models}</NavLink>
            <NavLink to="/state">{texts.state.nav}</NavLink>
          </nav>
          <div className="header-tools">
            {key !== undefined && (
              <Button size="compact-sm" variant="default" onClick={forgetKey}>
                {texts.key.forget}
              </Button>
            )}
            <LanguageSwitch />
            <SchemeSwitch />
          </div>
        </Container>
      </header>
      <Container component="main" size="lg" id="content" tabIndex={-1} className="content">
        {children}
      </Container>
    </>
  );
}
