package report

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The page is well-formed, every link of it leads somewhere, nothing in it makes a
// browser ask for anything, and its tables can be read aloud.
func TestPage(t *testing.T) {
	page := generate(t, "testdata/raw")[pageName]
	ids, links := map[string]int{}, []string{}
	tables, captions, columns, rows := 0, 0, 0, 0
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.Entity = true, xml.HTMLEntity
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line, column := d.InputPos()
			t.Fatalf("line %d, column %d: %v", line, column, err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "script", "link", "iframe", "object", "embed", "img", "base", "form":
			t.Errorf("the page has <%s>", start.Name.Local)
		case "table":
			tables++
		case "caption":
			captions++
		}
		for _, a := range start.Attr {
			switch {
			case a.Name.Local == "id":
				ids[a.Value]++
			case a.Name.Local == "href":
				links = append(links, a.Value)
			case a.Name.Local == "src", strings.HasPrefix(a.Name.Local, "on"):
				t.Errorf("<%s> has %s=%q", start.Name.Local, a.Name.Local, a.Value)
			case a.Name.Local == "scope" && a.Value == "col":
				columns++
			case a.Name.Local == "scope" && a.Value == "row":
				rows++
			}
		}
	}
	if tables == 0 || captions != tables || columns == 0 || rows == 0 {
		t.Errorf("%d tables, %d captions, %d headings of columns, %d of rows", tables, captions, columns, rows)
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%d elements are #%s", n, id)
		}
	}
	for _, to := range links {
		if id, inside := strings.CutPrefix(to, "#"); inside && ids[id] == 0 || strings.Contains(to, "//") || strings.HasSuffix(to, ".md") && !strings.HasPrefix(to, "../docs/") {
			t.Errorf("the link to %s leads nowhere, or away", to)
		}
	}
	if strings.Contains(page, "url(") || strings.Contains(page, "@import") || !strings.Contains(page, "default-src 'none'") {
		t.Error("its style asks for something, or its policy lets it")
	}
}

// What an SVG says of itself in a page holds for that SVG alone.
func TestPlotsDoNotMixInThePage(t *testing.T) {
	page := generate(t, "../../reports/raw")[pageName]
	ids := regexp.MustCompile(`<svg [^>]*id="([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(ids) < 2 {
		t.Skipf("%d plots in the report", len(ids))
	}
	var seen []string
	for _, id := range ids {
		if slices.Contains(seen, id[1]) {
			t.Errorf("two plots are #%s", id[1])
		}
		seen = append(seen, id[1])
	}
	for _, block := range regexp.MustCompile(`(?s)<svg [^>]*id="([^"]*)".*?</style>`).FindAllStringSubmatch(page, -1) {
		style := block[0][strings.Index(block[0], "<style>")+len("<style>"):]
		for line := range strings.Lines(style) {
			if !strings.HasPrefix(line, "#"+block[1]) && !strings.HasPrefix(line, "</style>") {
				t.Errorf("%s: a rule for everything: %s", block[1], line)
			}
		}
	}
}

// browser runs a real browser, headless, and skips where there is none.
func browser(t *testing.T, args ...string) string {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("neither chromium nor google-chrome is installed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
		"--no-first-run", "--disable-background-networking", "--user-data-dir=" + t.TempDir()}, args...)...)
	cmd.WaitDelay = 10 * time.Second
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, stderr.String())
	}
	return string(out)
}

// In a real browser the page keeps to the window's width, wide and narrow; its
// colours follow the reader's; and it prints.
func TestPageInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	page := generate(t, "testdata/raw")[pageName]
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page":
			io.WriteString(w, page)
		case "/frames":
			io.WriteString(w, framesPage)
		case "/favicon.ico":
			http.NotFound(w, r)
		default:
			asked = append(asked, r.URL.Path)
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	dom := browser(t, "--virtual-time-budget=10000", "--window-size=1400,900", "--dump-dom", server.URL+"/frames")
	found := regexp.MustCompile(`(\d+): wide (\d+) of (\d+), tables (\d+), open (\d+)`).FindAllStringSubmatch(dom, -1)
	if len(found) != 2 {
		t.Fatalf("the browser gave no sizes:\n%.2000s", dom)
	}
	for _, f := range found {
		if f[2] != f[3] {
			t.Errorf("at %s pixels the page is %s wide", f[1], f[2])
		}
		if f[4] == "0" {
			t.Errorf("the browser sees no tables")
		}
	}
	if len(asked) > 0 {
		t.Errorf("the page asked for %v", asked)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, pageName)
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	for scheme, want := range map[string]color.RGBA{"1": {0xff, 0xff, 0xff, 0xff}, "0": {0x0d, 0x11, 0x17, 0xff}} {
		shot := filepath.Join(dir, scheme+".png")
		browser(t, "--blink-settings=preferredColorScheme="+scheme, "--window-size=800,600", "--screenshot="+shot, "file://"+file)
		if got := corner(t, shot); got != want {
			t.Errorf("colour scheme %s: the page is %v, want %v", scheme, got, want)
		}
	}
	pdf := filepath.Join(dir, "page.pdf")
	browser(t, "--no-pdf-header-footer", "--print-to-pdf="+pdf, "file://"+file)
	printed, err := os.ReadFile(pdf)
	if err != nil || !strings.HasPrefix(string(printed), "%PDF-") {
		t.Errorf("printed: %v, %.20q", err, printed)
	}
}

// framesPage shows the page in two widths and says what came of it.
const framesPage = `<!DOCTYPE html><title>frames</title><body>
<iframe src="/page" width="360" height="800"></iframe><iframe src="/page" width="1200" height="800"></iframe><pre></pre>
<script>onload = () => { for (const f of document.querySelectorAll("iframe")) {
const d = f.contentDocument, e = d.documentElement
document.querySelector("pre").textContent += f.width + ": wide " + e.scrollWidth + " of " + e.clientWidth +
", tables " + d.querySelectorAll("table").length + ", open " + d.querySelectorAll("details[open]").length + "\n" } }</script>`

func corner(t *testing.T, path string) color.RGBA {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", path, err))
	}
	r, g, b, a := img.At(2, img.Bounds().Dy()-3).RGBA()
	return color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), uint8(a >> 8)}
}
