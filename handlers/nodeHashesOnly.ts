// Replaces the SDK's hashes in JavaScript in the bundles: the SDK uses them where Node has no crypto module.
export class Sha256Js {}
export class Md5Js {}
