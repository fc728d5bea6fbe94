// Writes the SDKs that `pulumi package gen-sdk` writes, by the same generators: the language hosts that it asks cannot be built
// from Go modules.
package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	golang "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

func main() {
	schemaFile, folder := os.Args[1], os.Args[2]
	text := must(os.ReadFile(schemaFile))
	var spec schema.PackageSpec
	must(0, json.Unmarshal(text, &spec))
	pkg, diagnostics, err := schema.BindSpec(spec, nil, schema.ValidationOptions{})
	must(0, err)
	if diagnostics.HasErrors() {
		panic(diagnostics)
	}
	write(filepath.Join(folder, "python"), must(python.GeneratePackage("pulumi", pkg, nil, nil)))
	write(filepath.Join(folder, "go"), must(golang.GeneratePackage("pulumi", pkg, nil)))
}

func write(folder string, files map[string][]byte) {
	for name, text := range files {
		file := filepath.Join(folder, name)
		must(0, os.MkdirAll(filepath.Dir(file), 0o755))
		must(0, os.WriteFile(file, text, 0o644))
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
