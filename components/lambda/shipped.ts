/** esbuild's options for the code of functions. Lambda runs Node 24; on one machine it may be the user's own, 20. */
export const shipped = { minify: true, target: "node20", legalComments: "none" } as const;
