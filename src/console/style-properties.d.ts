import "react";

declare module "react" {
  // React's own list has no custom properties.
  interface CSSProperties {
    "--share"?: number;
  }
}
