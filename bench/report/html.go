package report

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// pageName is the page that is made of all documents and plots. It is one file,
// runs no script and asks for nothing from anywhere.
const pageName = "index.html"

// writeHTML makes the page of the documents in Markdown and the plots.
func writeHTML(w io.Writer, all map[string][]byte) error {
	var body, nav strings.Builder
	for _, doc := range documents {
		content, ok := all[doc.name]
		if !ok {
			continue
		}
		fragment, err := toHTML(doc.name, content)
		if err != nil {
			return fmt.Errorf("report: %s: %w", doc.name, err)
		}
		if doc.name == "figures.md" {
			fragment = folded(fragment)
		}
		id := anchor(doc.name, "")
		fmt.Fprintf(&nav, "<li><a href=\"#%s\">%s</a></li>\n", id, doc.title)
		fmt.Fprintf(&body, "<section id=%q>\n%s</section>\n", id, fragment)
	}
	html := imageTag.ReplaceAllStringFunc(body.String(), func(tag string) string {
		svg, ok := all[imageTag.FindStringSubmatch(tag)[1]]
		if !ok {
			return tag
		}
		return "<figure>" + string(svg) + "</figure>"
	})
	_, err := fmt.Fprintf(w, pageFrame, pageStyle, nav.String(), html)
	return err
}

var imageTag = regexp.MustCompile(`<img src="([^"]*)" alt="[^"]*">`)

// anchor is where a heading of a document is found in the page; that of the
// document itself where heading is empty.
func anchor(doc, heading string) string {
	doc = strings.TrimSuffix(doc, ".md")
	switch {
	case heading == "":
		return "doc-" + strings.ToLower(doc)
	case doc == "README":
		return heading
	}
	return doc + "-" + heading
}

func toHTML(doc string, content []byte) (string, error) {
	m := goldmark.New(
		goldmark.WithExtensions(extension.NewTable()),
		goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithASTTransformers(util.Prioritized(inPage{doc}, 1000))),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(tables{}, 10))),
	)
	var out bytes.Buffer
	err := m.Convert(content, &out)
	return out.String(), err
}

// inPage fits a document into the page: its headings stand below the page's, its
// anchors are its own, and links to other documents lead to where they are in it.
type inPage struct{ doc string }

func (t inPage) Transform(node *ast.Document, _ text.Reader, _ parser.Context) {
	// The walker fails where its function does, which this one never does.
	_ = ast.Walk(node, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			if t.doc != documents[0].name {
				n.Level++
			}
			if id, ok := n.AttributeString("id"); ok {
				n.SetAttributeString("id", []byte(anchor(t.doc, string(id.([]byte)))))
			}
		case *ast.Link:
			n.Destination = []byte(inPageLink(t.doc, string(n.Destination)))
		}
		return ast.WalkContinue, nil
	})
}

// inPageLink is where a link of a document leads in the page.
func inPageLink(doc, to string) string {
	name, heading, _ := strings.Cut(to, "#")
	switch name {
	case "":
		name = doc
	case pageName:
		name = documents[0].name
	}
	for _, d := range documents {
		if d.name == name {
			return "#" + anchor(name, heading)
		}
	}
	return to
}

// tables renders tables that can be scrolled on narrow screens and read aloud:
// with a caption, and headings for columns and rows.
type tables struct{}

func (t tables) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(extast.KindTable, t.table)
	r.Register(extast.KindTableHeader, t.header)
	r.Register(extast.KindTableRow, t.row)
	r.Register(extast.KindTableCell, t.cell)
}

func (t tables) table(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		_, err := w.WriteString("</tbody>\n</table></div>\n")
		return ast.WalkContinue, err
	}
	caption := "Table"
	for before := n.PreviousSibling(); before != nil; before = before.PreviousSibling() {
		if before.Kind() == ast.KindHeading {
			caption = plainText(before, source)
			break
		}
	}
	label := util.EscapeHTML([]byte(caption))
	_, err := fmt.Fprintf(w, "<div class=\"t\" role=\"region\" tabindex=\"0\" aria-label=\"%s\"><table>\n<caption>%[1]s</caption>\n", label)
	return ast.WalkContinue, err
}

// plainText is a node's text without its marks.
func plainText(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if text, ok := n.(*ast.Text); ok && entering {
			b.Write(text.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

func (t tables) header(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	return around(w, entering, "<thead>\n<tr>", "</tr>\n</thead>\n<tbody>\n")
}

func (t tables) row(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	return around(w, entering, "<tr>", "</tr>\n")
}

func around(w util.BufWriter, entering bool, begin, end string) (ast.WalkStatus, error) {
	text := end
	if entering {
		text = begin
	}
	_, err := w.WriteString(text)
	return ast.WalkContinue, err
}

func (t tables) cell(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*extast.TableCell)
	tag, scope := "td", ""
	switch {
	case n.Parent().Kind() == extast.KindTableHeader && n.HasChildren():
		tag, scope = "th", ` scope="col"`
	case n.Parent().Kind() != extast.KindTableHeader && n.PreviousSibling() == nil && n.HasChildren():
		tag, scope = "th", ` scope="row"`
	}
	if !entering {
		_, err := w.WriteString("</" + tag + ">")
		return ast.WalkContinue, err
	}
	class := ""
	if n.Alignment == extast.AlignRight {
		class = ` class="r"`
	}
	_, err := w.WriteString("<" + tag + scope + class + ">")
	return ast.WalkContinue, err
}

var fileHeading = regexp.MustCompile(`<h3 id="([^"]*)">([^<]*)</h3>\n`)

// folded puts what is below each heading of its level into a part that opens when
// it is asked for: all figures at once are too many.
func folded(fragment string) string {
	found := fileHeading.FindAllStringSubmatchIndex(fragment, -1)
	if len(found) == 0 {
		return fragment
	}
	out := fragment[:found[0][0]]
	for i, at := range found {
		end := len(fragment)
		if i+1 < len(found) {
			end = found[i+1][0]
		}
		out += fmt.Sprintf("<details>\n<summary><h3 id=%q>%s</h3></summary>\n%s</details>\n",
			fragment[at[2]:at[3]], fragment[at[4]:at[5]], fragment[at[1]:end])
	}
	return out
}

// pageFrame takes style, navigation and body. The policy keeps the browser from
// asking for anything.
const pageFrame = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<title>Which strategy, where, and why</title>
<style>%s</style>
</head>
<body>
<a class="skip" href="#doc-readme">To the summary</a>
<nav aria-label="Parts of the report"><ul>
%s</ul></nav>
<main>
%s</main>
</body>
</html>
`

const pageStyle = `
:root{color-scheme:light dark;--bg:#fff;--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;--band:#f6f8fa;--link:#0550ae}
@media screen and (prefers-color-scheme:dark){:root{--bg:#0d1117;--ink:#e6edf3;--soft:#9198a1;--line:#3d444d;--band:#151b23;--link:#79b8ff}}
*{box-sizing:border-box}
body{margin:0 auto;padding:0 1rem 4rem;max-width:82rem;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
a{color:var(--link)}
a:focus-visible,.t:focus-visible,summary:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:1rem;background:var(--bg);padding:.5rem}
nav{position:sticky;top:0;background:var(--bg);border-bottom:1px solid var(--line);z-index:1}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:0;padding:.6rem 0;list-style:none}
section{scroll-margin-top:3rem}
h1,h2,h3,h4{line-height:1.25;margin:1.8em 0 .6em;scroll-margin-top:3rem}
h1{font-size:1.7rem;margin-top:1rem}h2{font-size:1.35rem;border-bottom:1px solid var(--line);padding-bottom:.2em}h3{font-size:1.1rem}h4{font-size:1rem}
p,li{max-width:52rem}
li{margin:.35em 0}
code{font:.9em ui-monospace,monospace;background:var(--band);padding:.1em .3em;border-radius:4px;overflow-wrap:anywhere}
pre{background:var(--band);padding:.8rem;overflow-x:auto;border-radius:6px}pre code{padding:0;background:none}
.t{overflow-x:auto;margin:1rem 0;border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;width:100%;font-size:.875rem;font-variant-numeric:tabular-nums}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
th,td{padding:.35rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th[scope=row]{font-weight:400}
thead th{background:var(--band);border-bottom:2px solid var(--line);white-space:nowrap}
tbody tr:last-child>*{border-bottom:0}
.r{text-align:right;white-space:nowrap}
figure{margin:1.2rem 0;overflow-x:auto}
figure svg{width:min(100%,46rem);height:auto;border:1px solid var(--line);border-radius:6px}
details{border-top:1px solid var(--line);margin:.4rem 0}
summary{cursor:pointer}summary h3{display:inline-block;margin:.6em 0}
@media (max-width:40rem){body{font-size:15px;padding:0 .7rem 3rem}h1{font-size:1.4rem}figure svg{width:36rem}
tbody td:last-child{min-width:12rem}.r:last-child{min-width:0!important}
table{font-size:.8rem}th,td{padding:.3rem .45rem}}
@media print{body{max-width:none;padding:0;font-size:9.5pt;color:#000;background:#fff}nav,.skip,details:not([open]){display:none}
.t{overflow:visible;border:0}table{font-size:7pt}.r,thead th{white-space:normal}
thead{display:table-header-group}tr,figure{break-inside:avoid}h1,h2,h3,h4{break-after:avoid}a{color:inherit;text-decoration:none}
@page{margin:14mm}}
`
