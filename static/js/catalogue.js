// The words on the screens, by key. A script of the server fills them before any other
// runs: words/{part}.{language}.js, made from words/{language}.json (catalogue.go).
export const words = {};
