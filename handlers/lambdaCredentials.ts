// Replaces `@aws-sdk/credential-provider-node` in the bundles: on Lambda the credentials are in the environment
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html), and the SSO, INI, process and container
// providers are a third of a bundle.
export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env";
