import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["**/dist/", "dist-packages/", "site/.vitepress/cache/", "**/.next/", "**/next-env.d.ts"] },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.strict],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { arguments: false } }],
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
      "@typescript-eslint/no-require-imports": "off",
      "@typescript-eslint/no-unused-expressions": "off",
      "@typescript-eslint/no-extraneous-class": "off",
    },
  },
  // With types each would be a project of its own that loads those of @pulumi/aws, at 0.6 GB. tsc checks all of them in one.
  { files: ["examples/*/index.ts"], extends: [tseslint.configs.disableTypeChecked] },
);
