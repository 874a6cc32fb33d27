//go:build !race

package testscripts

const racing = false
