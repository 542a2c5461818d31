package conventions

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"
)

func TestFilesAndFunctionsStaySmall(t *testing.T) {
	t.Parallel()
	for _, s := range code(t) {
		if s.lines > maxFileLines {
			t.Errorf("%s has %d lines, at most %d", s.path, s.lines, maxFileLines)
		}
		for _, declaration := range s.file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if lines := s.set.Position(function.End()).Line - s.set.Position(function.Pos()).Line + 1; lines > maxFunctionLines {
				t.Errorf("%s: %s has %d lines, at most %d", s.at(function), function.Name.Name, lines, maxFunctionLines)
			}
		}
	}
}

func TestTypesHaveFewMethods(t *testing.T) {
	t.Parallel()
	methods := map[string]int{}
	for _, s := range code(t) {
		for _, declaration := range s.file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv != nil {
				methods[s.folder+"."+receiver(function.Recv.List[0].Type)]++
			}
		}
	}
	for name, n := range methods {
		if n > maxMethods {
			t.Errorf("%s has %d methods, at most %d", name, n, maxMethods)
		}
	}
}

// receiver is the name of a receiver's type.
func receiver(expression ast.Expr) string {
	switch e := expression.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// TestCommentsAreShort counts the words in a package's lines of comment: long
// lines mean long sentences.
func TestCommentsAreShort(t *testing.T) {
	t.Parallel()
	words, lines := map[string]int{}, map[string]int{}
	for _, s := range code(t) {
		for _, line := range commentLines(s.file) {
			words[s.folder] += len(strings.Fields(line))
			lines[s.folder]++
		}
	}
	for folder, n := range lines {
		if n < 10 { // too few for an average
			continue
		}
		if average := float64(words[folder]) / float64(n); average > maxWordsPerComment {
			t.Errorf("%s has %.1f words in a line of comment, at most %.1f", folder, average, maxWordsPerComment)
		}
	}
}

// commentLines are the lines of a file's comments that hold words; directives
// are none.
func commentLines(file *ast.File) []string {
	var found []string
	for _, group := range file.Comments {
		for line := range strings.Lines(group.Text()) {
			if strings.TrimSpace(line) != "" {
				found = append(found, line)
			}
		}
	}
	return found
}

func TestPackagesHaveADocComment(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, s := range all(t) {
		documented[s.folder] = documented[s.folder] || s.file.Doc.Text() != ""
	}
	for folder, ok := range documented {
		if !ok {
			t.Errorf("package %s has no doc comment", folder)
		}
	}
}

// unfinished is put together here so that this file does not hold the words.
var unfinished = regexp.MustCompile(`\b(` + strings.Join([]string{"TO" + "DO", "FIX" + "ME", "X" + "XX"}, "|") + `)\b`)

func TestNothingIsMarkedUnfinished(t *testing.T) {
	t.Parallel()
	for _, s := range all(t) {
		if found := unfinished.FindString(s.text); found != "" {
			t.Errorf("%s says %s", s.path, found)
		}
	}
}
