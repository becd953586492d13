// SPDX-License-Identifier: GPL-2.0
/*
 * Are two directories of object files the same to the machine?
 *
 * Compares, object by object, all that is loaded: the bytes of each allocated
 * section, its relocations, and the symbols.  Debug information and comments
 * are not looked at.  A local symbol is where it is, not what it is called: the
 * compiler numbers its names through.  Objects may be of 32 or 64 bits, of either
 * byte order, with addends in the relocations or in what these change; all that is
 * brought into one form when an object is read.
 *
 * Line numbers may differ where, and only where, they were moved by lines that
 * were added to a source file: each -m FILE tells how one file moved ("from
 * shift" lines: old line FROM and those after it are SHIFT further down).  Line
 * numbers are in bug tables (struct bug_entry of 64-bit kernels with relative
 * pointers: two 32-bit references, or three in newer ones, 16-bit line, 16-bit flags)
 * and in code that passes __LINE__ as a 32-bit constant, as on x86-64; elsewhere they
 * are not recognised, and differ.  Without -m nothing may differ.
 *
 * Exit status: 0 the same, 1 different, 2 could not compare.
 */
#define _XOPEN_SOURCE 700

#include <elf.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_MAPS	64
#define MAX_SHOWN	3

/* The relocations that apply to one section, without addend where it is elsewhere. */
struct relocations {
	Elf64_Rela *list;
	size_t count;
};

/* What is read from the file is in the form of a 64-bit object of this machine. */
struct object {
	const char *path;
	unsigned char *image;
	size_t size;
	bool is_64, big_endian;
	unsigned int machine;
	Elf64_Shdr *sections;
	struct relocations *relocations;
	size_t section_count;
	const char *section_names;
	Elf64_Sym *symbols;
	size_t symbol_count;
	const char *symbol_names;
	/* Indices of the allocated sections, in order. */
	unsigned int *alloc;
	size_t alloc_count;
};

/* How the lines of one source file moved. */
struct map {
	struct { long from, shift; } *step;
	size_t count;
};

static struct map maps[MAX_MAPS];
static size_t map_count;
static struct {
	unsigned long objects, bytes, relocations, symbols;
	unsigned long table_lines, code_lines, different;
	unsigned int machine;
	bool is_64, big_endian;
} total;

/* The pair that is being compared, for messages. */
static const char *current;
static unsigned int shown;

static void die(const char *what, const char *name)
{
	fprintf(stderr, "objcmp: error: %s: %s\n", what, name);
	exit(2);
}

static void *get_memory(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory)
		die("out of memory at", current ? current : "start");
	return memory;
}

/* Say one difference; the first few of an object are enough. */
static void __attribute__((format(printf, 1, 2))) differs(const char *format, ...)
{
	va_list args;

	if (shown++ >= MAX_SHOWN)
		return;
	printf("%s: ", current);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static unsigned char *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	unsigned char *image;
	long length;

	if (!file || fseek(file, 0, SEEK_END))
		die("cannot read", path);
	length = ftell(file);
	if (length < 0)
		die("cannot read", path);
	rewind(file);
	image = get_memory(length + 1);
	if (fread(image, 1, length, file) != (size_t)length)
		die("cannot read", path);
	fclose(file);
	*size = length;
	return image;
}

static const char *section_name(const struct object *obj, unsigned int index)
{
	return obj->section_names + obj->sections[index].sh_name;
}

static const char *symbol_name(const struct object *obj, const Elf64_Sym *sym)
{
	return obj->symbol_names + sym->st_name;
}

static uint64_t number(const struct object *obj, const unsigned char *byte, size_t size)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < size; i++)
		value = value << 8 | byte[obj->big_endian ? i : size - 1 - i];
	return value;
}

/* Where a member of a struct of elf.h is, and how long: with 64 bits, and with 32. */
struct field {
	unsigned char offset_64, size_64, offset_32, size_32;
};

#define FIELD(type, member) ((struct field){					\
	offsetof(Elf64_##type, member), sizeof(((Elf64_##type *)0)->member),	\
	offsetof(Elf32_##type, member), sizeof(((Elf32_##type *)0)->member) })

/* That member of a struct that stands at an offset of the file. */
static uint64_t member_at(const struct object *obj, size_t at, struct field field)
{
	const unsigned char *start = obj->image + at;

	if (obj->is_64)
		return number(obj, start + field.offset_64, field.size_64);
	return number(obj, start + field.offset_32, field.size_32);
}

#define SIZE_OF(obj, type)							\
	((obj)->is_64 ? sizeof(Elf64_##type) : sizeof(Elf32_##type))

static void load_sections(struct object *obj)
{
	size_t at = member_at(obj, 0, FIELD(Ehdr, e_shoff)), i;

	obj->section_count = member_at(obj, 0, FIELD(Ehdr, e_shnum));
	if (!obj->section_count || at + obj->section_count * SIZE_OF(obj, Shdr) > obj->size)
		die("not a relocatable object with sections", obj->path);
	obj->sections = get_memory(obj->section_count * sizeof(*obj->sections));
	for (i = 0; i < obj->section_count; i++, at += SIZE_OF(obj, Shdr)) {
		Elf64_Shdr *section = &obj->sections[i];

		section->sh_name = member_at(obj, at, FIELD(Shdr, sh_name));
		section->sh_type = member_at(obj, at, FIELD(Shdr, sh_type));
		section->sh_flags = member_at(obj, at, FIELD(Shdr, sh_flags));
		section->sh_offset = member_at(obj, at, FIELD(Shdr, sh_offset));
		section->sh_size = member_at(obj, at, FIELD(Shdr, sh_size));
		section->sh_link = member_at(obj, at, FIELD(Shdr, sh_link));
		section->sh_info = member_at(obj, at, FIELD(Shdr, sh_info));
		section->sh_addralign = member_at(obj, at, FIELD(Shdr, sh_addralign));
		section->sh_entsize = member_at(obj, at, FIELD(Shdr, sh_entsize));
		if (section->sh_type != SHT_NOBITS &&
		    section->sh_offset + section->sh_size > obj->size)
			die("a section is longer than the file", obj->path);
	}
	i = member_at(obj, 0, FIELD(Ehdr, e_shstrndx));
	obj->section_names = (const char *)obj->image + obj->sections[i].sh_offset;
}

static void load_symbols(struct object *obj, const Elf64_Shdr *section)
{
	size_t at = section->sh_offset, i;

	obj->symbol_count = section->sh_size / SIZE_OF(obj, Sym);
	obj->symbols = get_memory(obj->symbol_count * sizeof(*obj->symbols));
	obj->symbol_names = (const char *)obj->image +
			    obj->sections[section->sh_link].sh_offset;
	for (i = 0; i < obj->symbol_count; i++, at += SIZE_OF(obj, Sym)) {
		Elf64_Sym *sym = &obj->symbols[i];

		sym->st_name = member_at(obj, at, FIELD(Sym, st_name));
		sym->st_info = member_at(obj, at, FIELD(Sym, st_info));
		sym->st_other = member_at(obj, at, FIELD(Sym, st_other));
		sym->st_shndx = member_at(obj, at, FIELD(Sym, st_shndx));
		sym->st_value = member_at(obj, at, FIELD(Sym, st_value));
		sym->st_size = member_at(obj, at, FIELD(Sym, st_size));
	}
}

static void load_relocations(struct object *obj, const Elf64_Shdr *section)
{
	bool has_addend = section->sh_type == SHT_RELA;
	size_t size = has_addend ? SIZE_OF(obj, Rela) : SIZE_OF(obj, Rel);
	struct relocations *to = &obj->relocations[section->sh_info];
	size_t at = section->sh_offset, i;

	if (to->list)
		die("two tables of relocations for one section", obj->path);
	to->count = section->sh_size / size;
	to->list = get_memory(to->count * sizeof(*to->list));
	for (i = 0; i < to->count; i++, at += size) {
		uint64_t info = member_at(obj, at, FIELD(Rela, r_info));

		to->list[i].r_offset = member_at(obj, at, FIELD(Rela, r_offset));
		if (!obj->is_64)
			info = ELF64_R_INFO((uint64_t)ELF32_R_SYM(info), ELF32_R_TYPE(info));
		to->list[i].r_info = info;
		if (has_addend && obj->is_64)
			to->list[i].r_addend = member_at(obj, at, FIELD(Rela, r_addend));
		else if (has_addend)
			to->list[i].r_addend = (int32_t)member_at(obj, at, FIELD(Rela, r_addend));
	}
}

/* Load one object; the kernel's own build is trusted to be well formed inside. */
static void load(struct object *obj, const char *path)
{
	size_t i;

	memset(obj, 0, sizeof(*obj));
	obj->path = path;
	obj->image = read_file(path, &obj->size);
	if (obj->size < sizeof(Elf64_Ehdr) || memcmp(obj->image, ELFMAG, SELFMAG))
		die("not an ELF object", path);
	obj->is_64 = obj->image[EI_CLASS] == ELFCLASS64;
	obj->big_endian = obj->image[EI_DATA] == ELFDATA2MSB;
	obj->machine = member_at(obj, 0, FIELD(Ehdr, e_machine));
	/* It has relocations of a form of its own. */
	if (member_at(obj, 0, FIELD(Ehdr, e_type)) != ET_REL || obj->machine == EM_MIPS)
		die("not a relocatable object of a machine that is known here", path);
	load_sections(obj);
	obj->alloc = get_memory(obj->section_count * sizeof(*obj->alloc));
	obj->relocations = get_memory(obj->section_count * sizeof(*obj->relocations));
	for (i = 0; i < obj->section_count; i++) {
		const Elf64_Shdr *section = &obj->sections[i];

		if (section->sh_flags & SHF_ALLOC)
			obj->alloc[obj->alloc_count++] = i;
		if (section->sh_type == SHT_SYMTAB)
			load_symbols(obj, section);
		if (section->sh_type == SHT_REL || section->sh_type == SHT_RELA)
			load_relocations(obj, section);
	}
}

static void unload(struct object *obj)
{
	size_t i;

	for (i = 0; i < obj->section_count; i++)
		free(obj->relocations[i].list);
	free(obj->relocations);
	free(obj->symbols);
	free(obj->sections);
	free(obj->alloc);
	free(obj->image);
}

/* Where an index of a section stands among the allocated ones; -1 if nowhere. */
static long ordinal(const struct object *obj, unsigned int index)
{
	size_t i;

	for (i = 0; i < obj->alloc_count; i++)
		if (obj->alloc[i] == index)
			return i;
	return -1;
}

/* Name a place for people: function+offset if a function or object covers it. */
static const char *place(const struct object *obj, unsigned int section, Elf64_Addr offset)
{
	static char text[256];
	const Elf64_Sym *best = NULL;
	size_t i;

	for (i = 0; i < obj->symbol_count; i++) {
		const Elf64_Sym *sym = &obj->symbols[i];
		int type = ELF64_ST_TYPE(sym->st_info);

		if (sym->st_shndx == section && (type == STT_FUNC || type == STT_OBJECT) &&
		    sym->st_value <= offset && offset < sym->st_value + sym->st_size)
			best = sym;
	}
	if (best)
		snprintf(text, sizeof(text), "%s, %s+0x%lx", section_name(obj, section),
			 symbol_name(obj, best), (unsigned long)(offset - best->st_value));
	else
		snprintf(text, sizeof(text), "%s+0x%lx", section_name(obj, section),
			 (unsigned long)offset);
	return text;
}

/* Did some source file move its line @from to @to? */
static bool line_moved(unsigned long from, unsigned long to)
{
	size_t i, j;

	for (i = 0; i < map_count; i++) {
		long shift = 0;

		for (j = 0; j < maps[i].count && maps[i].step[j].from <= (long)from; j++)
			shift = maps[i].step[j].shift;
		if (shift && from + shift == to)
			return true;
	}
	return false;
}

/* Where the line is in an entry of a bug table: behind two references or three. */
static size_t line_in_entry(const struct object *obj, unsigned int index)
{
	const struct relocations *table = &obj->relocations[index];
	size_t i;

	for (i = 0; i < table->count; i++)
		if (table->list[i].r_offset == 8)
			return 12;
	return 8;
}

/*
 * If the difference at @offset is a line number that moved, return where it
 * ends, else 0.
 */
static size_t skip_line_number(const struct object *obj, unsigned int index,
			       const unsigned char *a, const unsigned char *b, size_t offset)
{
	const Elf64_Shdr *section = &obj->sections[index];
	size_t line, start;

	if (!map_count)
		return 0;
	if (!strcmp(section_name(obj, index), "__bug_table")) {
		line = line_in_entry(obj, index);
		start = offset - offset % (line + 4) + line;
		if (offset < start || offset >= start + 2 ||
		    !line_moved(number(obj, a + start, 2), number(obj, b + start, 2)))
			return 0;
		total.table_lines++;
		return start + 2;
	}
	if (!(section->sh_flags & SHF_EXECINSTR))
		return 0;
	/* Which of its four bytes differ first is not known. */
	for (start = offset; start + 4 > offset; start--) {
		if (start + 4 <= section->sh_size &&
		    line_moved(number(obj, a + start, 4), number(obj, b + start, 4))) {
			total.code_lines++;
			return start + 4;
		}
		if (!start)
			break;
	}
	return 0;
}

static void compare_bytes(const struct object *a, const struct object *b,
			  unsigned int ia, unsigned int ib)
{
	const Elf64_Shdr *section = &a->sections[ia];
	const unsigned char *x = a->image + section->sh_offset;
	const unsigned char *y = b->image + b->sections[ib].sh_offset;
	size_t i, end;

	if (section->sh_type == SHT_NOBITS)
		return;
	total.bytes += section->sh_size;
	for (i = 0; i < section->sh_size; ) {
		if (x[i] == y[i]) {
			i++;
			continue;
		}
		end = skip_line_number(a, ia, x, y, i);
		if (!end) {
			differs("%s: byte 0x%02x became 0x%02x", place(a, ia, i), x[i], y[i]);
			return;
		}
		i = end;
	}
}

static bool is_local(const struct object *obj, const Elf64_Sym *sym)
{
	return ELF64_ST_BIND(sym->st_info) == STB_LOCAL && ordinal(obj, sym->st_shndx) >= 0;
}

/* Describe what a relocation refers to, in a way that two objects can share. */
static void target(const struct object *obj, const Elf64_Rela *rela, char *text, size_t size)
{
	const Elf64_Sym *sym = &obj->symbols[ELF64_R_SYM(rela->r_info)];
	unsigned int type = ELF64_R_TYPE(rela->r_info);
	long addend = rela->r_addend;

	if (is_local(obj, sym))
		snprintf(text, size, "type %u to %s#%ld+0x%lx", type,
			 section_name(obj, sym->st_shndx), ordinal(obj, sym->st_shndx),
			 (unsigned long)(sym->st_value + addend));
	else
		snprintf(text, size, "type %u to %s%+ld", type, symbol_name(obj, sym), addend);
}

static void compare_relocations(const struct object *a, const struct object *b,
				unsigned int ia, unsigned int ib)
{
	char was[256], is[256];
	const Elf64_Rela *ra = a->relocations[ia].list, *rb = b->relocations[ib].list;
	size_t na = a->relocations[ia].count, nb = b->relocations[ib].count, i;

	for (i = 0; i < na && i < nb; i++) {
		if (ra[i].r_offset != rb[i].r_offset) {
			differs("%s: the relocation here is at 0x%lx of the section now",
				place(a, ia, ra[i].r_offset), (unsigned long)rb[i].r_offset);
			return;
		}
		target(a, &ra[i], was, sizeof(was));
		target(b, &rb[i], is, sizeof(is));
		if (strcmp(was, is)) {
			differs("%s: relocation %s became %s",
				place(a, ia, ra[i].r_offset), was, is);
			return;
		}
	}
	if (na != nb)
		differs("%s: %zu relocations became %zu", section_name(a, ia), na, nb);
	total.relocations += na;
}

/* Compare the i-th allocated section of both; false if they don't even pair. */
static bool compare_section(const struct object *a, const struct object *b, size_t i)
{
	unsigned int ia = a->alloc[i], ib = b->alloc[i];
	const Elf64_Shdr *x = &a->sections[ia], *y = &b->sections[ib];

	if (strcmp(section_name(a, ia), section_name(b, ib))) {
		differs("section %s became %s", section_name(a, ia), section_name(b, ib));
		return false;
	}
	if (x->sh_type != y->sh_type || x->sh_flags != y->sh_flags ||
	    x->sh_addralign != y->sh_addralign || x->sh_entsize != y->sh_entsize)
		differs("section %s: type, flags or alignment differ", section_name(a, ia));
	if (x->sh_size == y->sh_size) {
		compare_bytes(a, b, ia, ib);
		compare_relocations(a, b, ia, ib);
	} else {
		differs("section %s: %lu bytes became %lu", section_name(a, ia),
			(unsigned long)x->sh_size, (unsigned long)y->sh_size);
	}
	return true;
}

/* A symbol as a line of text: what two objects must have in common. */
static char *describe_symbol(const struct object *obj, const Elf64_Sym *sym)
{
	const char *name = symbol_name(obj, sym);
	size_t size = strlen(name) + 160, length = strlen(name);
	char *text = get_memory(size), *plain = get_memory(length + 1), *end = plain;
	char section[64] = "undefined";

	/* Local names hold numbers that the compiler counts, and line numbers. */
	for (; *name; name++)
		if (!is_local(obj, sym) || !strchr("0123456789", *name))
			*end++ = *name;
	if (ordinal(obj, sym->st_shndx) >= 0)
		snprintf(section, sizeof(section), "section %s#%ld",
			 section_name(obj, sym->st_shndx), ordinal(obj, sym->st_shndx));
	else if (sym->st_shndx != SHN_UNDEF)
		snprintf(section, sizeof(section), "section index 0x%x", sym->st_shndx);
	snprintf(text, size, "%s in %s at 0x%lx, size %lu, info 0x%x, other 0x%x",
		 plain, section, (unsigned long)sym->st_value,
		 (unsigned long)sym->st_size, sym->st_info, sym->st_other);
	free(plain);
	return text;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Whether a symbol says something about what is loaded. */
static bool counts(const struct object *obj, const Elf64_Sym *sym)
{
	int type = ELF64_ST_TYPE(sym->st_info);

	if (type == STT_SECTION || type == STT_FILE)
		return false;
	return ELF64_ST_BIND(sym->st_info) != STB_LOCAL || is_local(obj, sym);
}

static char **symbol_list(const struct object *obj, size_t *count)
{
	char **list = get_memory(obj->symbol_count * sizeof(*list));
	size_t i;

	*count = 0;
	for (i = 1; i < obj->symbol_count; i++)
		if (counts(obj, &obj->symbols[i]))
			list[(*count)++] = describe_symbol(obj, &obj->symbols[i]);
	qsort(list, *count, sizeof(*list), by_text);
	return list;
}

static void free_list(char **list, size_t count)
{
	while (count--)
		free(list[count]);
	free(list);
}

static void compare_symbols(const struct object *a, const struct object *b)
{
	size_t na, nb, i;
	char **x = symbol_list(a, &na), **y = symbol_list(b, &nb);

	for (i = 0; i < na && i < nb && !strcmp(x[i], y[i]); i++)
		;
	if (i < na || i < nb)
		differs("symbols: '%s' became '%s'", i < na ? x[i] : "(none)",
			i < nb ? y[i] : "(none)");
	total.symbols += na;
	free_list(x, na);
	free_list(y, nb);
}

static void compare_objects(const char *path_a, const char *path_b)
{
	struct object a, b;
	size_t i;

	load(&a, path_a);
	load(&b, path_b);
	if (a.is_64 != b.is_64 || a.big_endian != b.big_endian || a.machine != b.machine)
		differs("it is of another machine now");
	total.machine = a.machine;
	total.is_64 = a.is_64;
	total.big_endian = a.big_endian;
	for (i = 0; i < a.alloc_count && i < b.alloc_count; i++)
		if (!compare_section(&a, &b, i))
			break;
	if (a.alloc_count != b.alloc_count)
		differs("%zu loaded sections became %zu", a.alloc_count, b.alloc_count);
	compare_symbols(&a, &b);
	unload(&a);
	unload(&b);
}

/* The object files below a directory, as sorted paths relative to it. */
static char **found;
static size_t found_count;
static size_t root_length;

static int visit(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	size_t length = strlen(path);

	(void)stat;
	(void)ftw;
	if (type != FTW_F || length < 3 || strcmp(path + length - 2, ".o"))
		return 0;
	found = realloc(found, (found_count + 1) * sizeof(*found));
	if (!found)
		die("out of memory at", path);
	found[found_count++] = strdup(path + root_length + 1);
	return 0;
}

static char **objects_below(const char *root, size_t *count)
{
	char **list;

	found = NULL;
	found_count = 0;
	root_length = strlen(root);
	if (nftw(root, visit, 16, FTW_PHYS) || !found_count)
		die("no object files below", root);
	qsort(found, found_count, sizeof(*found), by_text);
	list = found;
	*count = found_count;
	return list;
}

static char *join(const char *root, const char *name)
{
	char *path = get_memory(strlen(root) + strlen(name) + 2);

	sprintf(path, "%s/%s", root, name);
	return path;
}

static void compare_pair(const char *root_a, const char *root_b, const char *name)
{
	char *a = join(root_a, name), *b = join(root_b, name);

	compare_objects(a, b);
	free(a);
	free(b);
}

static void compare_trees(const char *root_a, const char *root_b)
{
	size_t na, nb, i = 0, j = 0;
	char **a = objects_below(root_a, &na), **b = objects_below(root_b, &nb);

	while (i < na || j < nb) {
		int order = i == na ? 1 : j == nb ? -1 : strcmp(a[i], b[j]);

		shown = 0;
		current = order > 0 ? b[j] : a[i];
		if (order)
			differs(order < 0 ? "is missing now" : "is new");
		else
			compare_pair(root_a, root_b, current);
		total.objects++;
		total.different += shown > 0;
		i += order <= 0;
		j += order >= 0;
	}
	free_list(a, na);
	free_list(b, nb);
}

static void read_map(const char *path)
{
	FILE *file = fopen(path, "r");
	struct map *map = &maps[map_count];
	long from, shift;

	if (!file || map_count == MAX_MAPS)
		die("cannot read, or one map too many", path);
	while (fscanf(file, "%ld %ld", &from, &shift) == 2) {
		map->step = realloc(map->step, (map->count + 1) * sizeof(*map->step));
		if (!map->step)
			die("out of memory at", path);
		map->step[map->count].from = from;
		map->step[map->count++].shift = shift;
	}
	fclose(file);
	map_count++;
}

static const char *machine_name(unsigned int machine)
{
	switch (machine) {
	case EM_X86_64:
		return "x86-64";
	case EM_386:
		return "i386";
	case EM_AARCH64:
		return "arm64";
	case EM_S390:
		return "s390";
	default:
		return "another machine";
	}
}

int main(int argc, char **argv)
{
	while (argc > 4 && !strcmp(argv[1], "-m")) {
		read_map(argv[2]);
		argv += 2;
		argc -= 2;
	}
	if (argc != 3)
		die("usage", "objcmp [-m FILE]... DIRECTORY DIRECTORY");
	compare_trees(argv[1], argv[2]);
	printf("%lu objects (%s, %d bits, %s endian), %lu different: ", total.objects,
	       machine_name(total.machine), total.is_64 ? 64 : 32,
	       total.big_endian ? "big" : "little", total.different);
	printf("%lu bytes, %lu relocations, %lu symbols compared", total.bytes,
	       total.relocations, total.symbols);
	if (map_count)
		printf("; %lu line numbers moved in bug tables, %lu in code",
		       total.table_lines, total.code_lines);
	putchar('\n');
	return total.different ? 1 : 0;
}
