package stacks

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
)

// What the families with sizes of their own are made of. Changing one changes bytes.
const (
	// logLines is how many lines each element of LongLogs prints, failLines one of
	// Failures.
	logLines  = 10_000
	failLines = 40
	// blockLines is how many lines the shell writes at once.
	blockLines = 20
	// wideFiles is how many files each element of WideFiles imports, folderFiles of
	// them in one folder.
	wideFiles   = 200
	folderFiles = 20
	// levels is how deep DeepJunctions goes at most.
	levels = 32
	// failing is which of the elements of Failures fails: each third.
	failing = 3
)

// Failing is how many elements of the stack fail when it is built, and how many are
// not tried because of that.
func (s Spec) Failing() (fail, skipped int) {
	if s.Kind != Failures {
		return 0, 0
	}
	return (s.N - 3) / failing, 1 // without shells and target
}

// Shells are static programs that print what they were made to print and end with
// the status that they were made with, whatever they are asked to do: what stands as
// /bin/sh in sandboxes. They make a stack's bytes the same everywhere, as no shell
// of a distribution could.
var machines = []struct {
	name    string // BuildStream's and uname's
	machine uint16 // ELF's
	code    func(count, length uint32, status byte) []byte
}{
	{"x86_64", 62, codeAMD64},
	{"aarch64", 183, codeARM64},
}

// shell makes a program that writes a text some times and exits.
func shell(machine uint16, code func(count, length uint32, status byte) []byte, text string, count uint32, status byte) []byte {
	const (
		base   = 0x400000
		header = 64 + 56
	)
	program := append(code(count, uint32(len(text)), status), text...)
	var b bytes.Buffer
	b.Write([]byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	size := uint64(header + len(program))
	for _, field := range []any{
		uint16(2), machine, uint32(1), uint64(base + header), uint64(64), uint64(0), uint32(0), uint16(64), uint16(56), uint16(1), uint16(64), uint16(0), uint16(0),
		// One segment, to be read and run, all of the file.
		uint32(1), uint32(5), uint64(0), uint64(base), uint64(base), size, size, uint64(0x1000),
	} {
		if err := binary.Write(&b, binary.LittleEndian, field); err != nil {
			panic(err) // a buffer takes all, and the types are fixed
		}
	}
	b.Write(program)
	return b.Bytes()
}

func word(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

// codeAMD64: mov r12d, count; loop: write(1, text, length); dec r12d; jnz loop; exit(status).
func codeAMD64(count, length uint32, status byte) []byte {
	const after = 0x2c // where the text begins, below
	code := append([]byte{0x41, 0xbc}, word(count)...)
	code = append(code, 0xb8, 1, 0, 0, 0)         // mov eax, 1
	code = append(code, 0xbf, 1, 0, 0, 0)         // mov edi, 1
	code = append(code, 0x48, 0x8d, 0x35)         // lea rsi, [rip+...]
	code = append(code, word(after-0x17)...)      // from the end of this instruction
	code = append(code, 0xba)                     // mov edx, length
	code = append(code, word(length)...)          //
	code = append(code, 0x0f, 0x05)               // syscall
	code = append(code, 0x41, 0xff, 0xcc)         // dec r12d
	code = append(code, 0x75, 0xe3)               // jnz to mov eax, 1
	code = append(code, 0x6a, 60, 0x58)           // push 60; pop rax
	code = append(code, 0x6a, status, 0x5f)       // push status; pop rdi
	return append(code, 0x0f, 0x05, 0x90)[:after] // syscall
}

// codeARM64 does the same.
func codeARM64(count, length uint32, status byte) []byte {
	movz := func(register, value uint32) uint32 { return 0xd2800000 | value&0xffff<<5 | register }
	var code []byte
	for _, instruction := range []uint32{
		movz(19, count),                    // count is below 65,536
		movz(0, 1),                         // loop:
		0x10000000 | (9*4)>>2<<5 | 1,       // adr x1, text: nine instructions on
		movz(2, length),                    // length is, too
		movz(8, 64),                        // write
		0xd4000001,                         // svc 0
		0xf1000673,                         // subs x19, x19, 1
		0x54000001 | uint32(0x7ffff&-6)<<5, // b.ne loop
		movz(0, uint32(status)),            //
		movz(8, 93),                        // exit
		0xd4000001,                         // svc 0
	} {
		code = append(code, word(instruction)...)
	}
	return code
}

// shells adds an element with a shell for each machine, that prints lines and ends
// with a status.
func (s *Stack) shells(name, line string, lines int, status byte) string {
	text := ""
	for i := range blockLines {
		text += fmt.Sprintf("%s %04d of each %04d: the quick brown fox jumps over the lazy dog\n", line, i+1, blockLines)
	}
	e := Element{Name: name, Shells: map[string][]byte{}}
	for _, m := range machines {
		e.Shells[m.name] = shell(m.machine, m.code, text, uint32(lines/blockLines), status)
	}
	s.Elements = append(s.Elements, e)
	return name
}

// work adds an element that runs a command in a sandbox with a shell.
func (s *Stack) work(spec Spec, number int, shell string) string {
	e := Element{Name: spec.numbered(number), Depends: []string{shell}, Command: fmt.Sprintf("build %s %d %d", spec.Kind, number, spec.Seed)}
	s.Elements = append(s.Elements, e)
	return e.Name
}

func (s *Stack) longLogs(spec Spec) {
	shell := s.shells("shell", "log", logLines, 0)
	var all []string
	for i := 1; i < spec.N-1; i++ {
		all = append(all, s.work(spec, i, shell))
	}
	s.addTop(all)
}

func (s *Stack) failures(spec Spec) {
	good, bad := s.shells("shell", "log", failLines, 0), s.shells("shell-that-fails", "error", failLines, 1)
	var all []string
	for i := 1; i < spec.N-2; i++ {
		shell := good
		if i%failing == 0 {
			shell = bad
		}
		all = append(all, s.work(spec, i, shell))
	}
	s.addTop(all)
}

func (s *Stack) wideFiles(spec Spec) {
	var all []string
	for i := 1; i < spec.N; i++ {
		e := Element{Name: spec.numbered(i), Files: map[string]string{}}
		for f := range wideFiles {
			path := fmt.Sprintf("d%02d/f%03d", f/folderFiles, f)
			e.Files[path] = fmt.Sprintf("%s %s %d of %s\n", s.Name, path, spec.Seed, e.Name)
		}
		s.Elements = append(s.Elements, e)
		all = append(all, e.Name)
	}
	s.addTop(all)
}

// sources makes elements whose one file is fetched from beside the project.
func (s *Stack) sources(spec Spec) {
	var all []string
	for i := 1; i < spec.N; i++ {
		e := Element{Name: spec.numbered(i)}
		e.Upstream = fmt.Sprintf("%s %s %d\n", s.Name, e.Name, spec.Seed)
		s.Elements = append(s.Elements, e)
		all = append(all, e.Name)
	}
	s.addTop(all)
}

// ref is a remote source's.
func ref(content string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(content))) }

// deepJunctions makes projects in projects, each of which needs some elements of
// its own and all of the next one.
func (s *Stack) deepJunctions(spec Spec) {
	deep := min(levels, max((spec.N+9)/10, 1))
	at := s
	number := 1
	for level := range deep {
		end := spec.N * (level + 1) / deep // of the elements up to this level, its top included
		var all []string
		for ; number < end; number++ {
			all = append(all, at.add(spec, number, true))
		}
		if level == deep-1 {
			at.addTop(all)
			break
		}
		at.Sub = &Stack{Name: s.Name + "-" + strconv.Itoa(level+1)}
		at.addTop(append(all, Subproject+".bst:"+top))
		at = at.Sub
		number++
	}
}

// Subproject is the name of the junction of DeepJunctions, and of the folder that
// it leads to.
const Subproject = "sub"
