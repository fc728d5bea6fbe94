export const FEATURES = { all: false, raw: false };
