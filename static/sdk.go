package static

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
)

// Placeholders in sdk/sdk.js for its words and styles.
const (
	sdkWords  = `{/* words */}`
	sdkStyles = `'/* styles */'`
)

// SDK returns the script of GET /embed/sdk.js, which a CRM page includes. The
// caller must not change it.
func SDK() []byte { return sdk() }

var sdk = sync.OnceValue(func() []byte {
	script, err := buildSDK()
	if err != nil {
		panic("static: " + err.Error())
	}
	return script
})

// buildSDK writes the words of all languages and the styles into the script: a
// CRM page loads one file.
func buildSDK() ([]byte, error) {
	script, err := files.ReadFile("sdk/sdk.js")
	if err != nil {
		return nil, err
	}
	styles, err := files.ReadFile("sdk/sdk.css")
	if err != nil {
		return nil, err
	}
	all, err := catalogues()
	if err != nil {
		return nil, err
	}
	own := map[string]words{}
	for language, every := range all {
		own[language] = maps.Clone(every)
		maps.DeleteFunc(own[language], func(key, _ string) bool { return !strings.HasPrefix(key, "sdk.") })
	}
	for _, part := range []struct {
		placeholder string
		value       any
	}{{sdkWords, own}, {sdkStyles, string(styles)}} {
		encoded, err := json.Marshal(part.value)
		if err != nil {
			return nil, fmt.Errorf("encode for the script: %w", err)
		}
		script = bytes.Replace(script, []byte(part.placeholder), encoded, 1)
	}
	return script, nil
}
