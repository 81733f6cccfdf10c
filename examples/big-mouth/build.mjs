/** Bundles each Node function into .build/NAME/index.js, with its source map beside it. */
import { build } from "esbuild";

const functions = ["get-restaurants", "accept-order", "notify-user"];

await Promise.all(
  functions.map((name) =>
    build({
      entryPoints: [`${name}/index.mjs`],
      outfile: `.build/${name}/index.js`,
      bundle: true,
      platform: "node",
      target: "node20",
      sourcemap: true,
      sourcesContent: false,
      logLevel: "warning",
    }),
  ),
);
