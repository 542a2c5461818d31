package handlers

import (
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/compose"
)

// Every string of a client has a length, and every list. A field may be
// tagged with another one than these: max:"10000", or max:"text" for a text
// with merge fields.
const (
	maxString  = 1000 // characters
	maxEntries = 1000 // of a list
)

// checkLengths refuses the first field of a bound body that is too long.
func checkLengths(bound any) error {
	return checkValue(reflect.ValueOf(bound), "", "")
}

var timeType = reflect.TypeFor[time.Time]()

func checkValue(v reflect.Value, name, most string) error {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return checkValue(v.Elem(), name, most)
		}
	case reflect.Struct:
		if v.Type() != timeType {
			return checkFields(v, name)
		}
	case reflect.String:
		return checkString(v.String(), name, most)
	case reflect.Slice:
		if v.Len() > number(most, maxEntries) {
			return tooLong(name)
		}
		for i := range v.Len() {
			if err := checkValue(v.Index(i), name, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkFields(v reflect.Value, above string) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if above != "" && name != "" {
			name = above + "." + name
		}
		if f.Anonymous && name == "" {
			name = above
		}
		if err := checkValue(v.Field(i), name, f.Tag.Get("max")); err != nil {
			return err
		}
	}
	return nil
}

func checkString(s, name, most string) error {
	if most == "text" {
		if len(s) > compose.MaxSource {
			return apierror.Text(compose.ErrSourceTooLong)
		}
		return nil
	}
	if n := number(most, maxString); len(s) > n && utf8.RuneCountInString(s) > n {
		return tooLong(name)
	}
	return nil
}

func number(tag string, otherwise int) int {
	if n, err := strconv.Atoi(tag); err == nil {
		return n
	}
	return otherwise
}

func tooLong(name string) error {
	return badRequest("The field "+name+" is too long.").withDetail("field", name)
}
