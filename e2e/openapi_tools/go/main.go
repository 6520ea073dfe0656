// Loads and validates an OpenAPI document as programs in Go do, all patterns included.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/getkin/kin-openapi/openapi3"
)

func main() {
	document, err := openapi3.NewLoader().LoadFromFile(os.Args[1])
	if err == nil {
		err = document.Validate(context.Background(), openapi3.EnableSchemaFormatValidation())
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Printf("paths: %d\n", document.Paths.Len())
}
