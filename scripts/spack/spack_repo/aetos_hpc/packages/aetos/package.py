from spack_repo.builtin.build_systems.cmake import CMakePackage

from spack.package import *


class Aetos(CMakePackage):
    """Atomic electron tomography on any number of MPI processes: multislice simulation of ADF-STEM tilt series,
    tomographic reconstruction, tracing of atoms, analysis."""

    maintainers = []
    license("BSD-3-Clause")

    # The source is this checkout: `develop` in ../../../../spack.yaml.
    version("main")

    variant("native", default=False, description="Let the compiler choose the processor (Spack's own target is set anyway)")
    variant("bench", default=False, description="Build aetos-bench")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.22:", type="build")
    depends_on("pkgconfig", type="build")

    depends_on("mpi")
    depends_on("hdf5@1.10.7:+mpi+hl")
    depends_on("fftw@3.3:+mpi precision=float,double")
    depends_on("petsc@3.18:+mpi+double~complex")
    depends_on("boost@1.71:+program_options")
    depends_on("eigen@3.3:3")
    depends_on("yaml-cpp@0.6.3:")
    depends_on("nlohmann-json@3.9:")
    depends_on("fmt@8:")
    depends_on("spdlog@1.9:")
    depends_on("cgal@5:")
    depends_on("libpng")
    depends_on("libtiff")
    depends_on("zlib-api")
    depends_on("openssl")
    depends_on("nanoflann")
    depends_on("random123")

    requires("%gcc@11:", "%clang@14:", "%oneapi", policy="one_of", msg="C++20 is needed")

    def cmake_args(self):
        return [
            self.define("AETOS_TESTS", False),
            self.define("AETOS_FAULT_POINTS", False),
            self.define("AETOS_WERROR", False),  # warnings of other compilers are for developers
            self.define_from_variant("AETOS_NATIVE", "native"),
            self.define_from_variant("AETOS_BENCH", "bench"),
        ]
