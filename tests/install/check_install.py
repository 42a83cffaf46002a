#!/usr/bin/env python3
"""What other projects get from this one, tried as they would.

    check_install.py files SOURCE BUILD PREFIX      installs, then looks at what was installed
    check_install.py example PREFIX WORK GENERATOR  builds the example repository against it and runs its tests
    check_install.py subproject SOURCE WORK         configures a project that takes dca through FetchContent
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys


def run(*command, fails=False):
    """The output of a command that must succeed, or, with fails, must not."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors='replace', check=False)
    if (done.returncode != 0) != fails:
        sys.exit(f'{done.stdout}\n{command} ended with status {done.returncode}')
    return done.stdout


def require(condition, message):
    if not condition:
        sys.exit(message)


def check_paths(prefix, forbidden):
    """No file may know where the tree was built."""
    for file in sorted(prefix.rglob('*')):
        if file.is_file():
            content = file.read_bytes()
            for path in forbidden:
                require(str(path).encode() not in content, f'{file} contains the path {path}')


def check_header(header):
    """A consumer needs the standard library alone: names without a folder and without an ending."""
    text = header.read_text(encoding='utf-8')
    includes = re.findall(r'^\s*#\s*include\s*(\S+)', text, re.MULTILINE)
    require(includes, f'{header} includes nothing')
    for include in includes:
        require(re.fullmatch(r'<[a-z_]+>', include), f'{header} includes {include}, which is no standard header')


def files(source, build, prefix):
    source, build, prefix = pathlib.Path(source), pathlib.Path(build), pathlib.Path(prefix)
    shutil.rmtree(prefix, ignore_errors=True)
    first = prefix.with_name(prefix.name + ' at first')
    shutil.rmtree(first, ignore_errors=True)
    run('cmake', '--install', build, '--prefix', first)
    first.rename(prefix)  # the folder can be moved: the example is built where it is now
    for name in ['bin/dca', 'include/dca/judge.hpp', 'share/doc/dca/README.md', 'share/doc/dca/docs/golden_format.md',
                 'share/doc/dca/docs/embedding.md']:
        require((prefix / name).is_file(), f'{name} was not installed')
    headers = sorted(path.name for path in (prefix / 'include').rglob('*') if path.is_file())
    require(headers == ['judge.hpp'], f'public headers: {headers}')
    require(list(prefix.glob('lib*/**/dcaConfig.cmake')), 'dcaConfig.cmake was not installed')
    check_header(prefix / 'include/dca/judge.hpp')
    check_paths(prefix, {source.resolve(), build.resolve(), first})
    require('smoke' in run(prefix / 'bin/dca', 'list', 'suites'), 'the installed program does not list suites')


def compile_commands(build, name):
    commands = json.loads((build / 'compile_commands.json').read_text(encoding='utf-8'))
    return [entry['command'] for entry in commands if entry['file'].endswith(name)]


def check_kernel_flags(build, name):
    """The options of this project must not change how a kernel under test is compiled."""
    commands = compile_commands(build, name)
    require(commands, f'{name} is not compiled')
    for command in commands:
        for option in ['-ffp-contract', '-fopenmp', '-Wshadow', '-Werror', 'hdf5', 'eigen', '-fmacro-prefix-map']:
            require(option not in command, f'{name} is compiled with {option}: {command}')


def example(prefix, work, generator):
    prefix, work = pathlib.Path(prefix), pathlib.Path(work)
    shutil.rmtree(work, ignore_errors=True)
    source, build = work / 'kernel repository', work / 'build tree'
    shutil.copytree(prefix / 'share/doc/dca/docs/examples/kernel_repository', source)
    configure = ['cmake', '-G', generator, '-S', source, '-B', build, f'-DCMAKE_PREFIX_PATH={prefix}',
                 '-DCMAKE_EXPORT_COMPILE_COMMANDS=ON', '-DCMAKE_FIND_PACKAGE_NO_PACKAGE_REGISTRY=ON']
    print(run(*configure))
    check_kernel_flags(build, 'test_catch2.cpp')
    run('cmake', '--build', build, '-j2')
    listed = run('ctest', '--test-dir', build, '-N')
    require('judged_from_catch2' in listed, f'the example has no Catch2 test:\n{listed}')
    print(run('ctest', '--test-dir', build, '--output-on-failure', '--no-tests=error'))
    require('<testsuite' in (build / 'dca_junit.xml').read_text(encoding='utf-8'), 'the example wrote no JUnit report')

    # A version that is not promised to work is refused.
    cmake_lists = source / 'CMakeLists.txt'
    text = cmake_lists.read_text(encoding='utf-8')
    require('find_package(dca 0.1 REQUIRED)' in text, 'the example asks for no version')
    cmake_lists.write_text(text.replace('find_package(dca 0.1', 'find_package(dca 9.9'), encoding='utf-8')
    configure[configure.index(build)] = work / 'build of another version'
    refused = run(*configure, fails=True)
    require('9.9' in refused, f'refused for another reason:\n{refused}')


SUBPROJECT = '''cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES C CXX)
include(FetchContent)
FetchContent_Declare(dca SOURCE_DIR "{source}")
FetchContent_MakeAvailable(dca)
add_executable(kernel_test kernel_test.cpp)
target_link_libraries(kernel_test PRIVATE dca::judge)
enable_testing()
add_test(NAME gate COMMAND dca::dca list suites)
install(TARGETS kernel_test)
'''


def subproject(source, work):
    source, work = pathlib.Path(source), pathlib.Path(work)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    (work / 'CMakeLists.txt').write_text(SUBPROJECT.format(source=source), encoding='utf-8')
    (work / 'kernel_test.cpp').write_text('#include <dca/judge.hpp>\nint main() {}\n', encoding='utf-8')
    build = work / 'build'
    run('cmake', '-S', work, '-B', build, '-DCMAKE_EXPORT_COMPILE_COMMANDS=ON')
    check_kernel_flags(build, 'kernel_test.cpp')
    for command in compile_commands(build, 'kernel_test.cpp'):
        run('sh', '-c', command.replace(' -o ', ' -fsyntax-only -o '))
    listed = run('ctest', '--test-dir', build, '-N')
    require('Total Tests: 1\n' in listed, f'tests of dca are part of its user:\n{listed}')
    install = (build / 'cmake_install.cmake').read_text(encoding='utf-8')
    require('kernel_test' in install, 'the consumer installs nothing')
    scripts = ''.join(path.read_text(encoding='utf-8') for path in build.rglob('cmake_install.cmake'))
    require('dcaConfig' not in scripts, 'dca is installed with its user, who did not ask for it')


COMMANDS = {'files': files, 'example': example, 'subproject': subproject}

if __name__ == '__main__':
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[sys.argv[1]](*sys.argv[2:])
