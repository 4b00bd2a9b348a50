fn resize(bytes: Vec<u8>, mut width: u32) -> Result<Vec<u8>, ResizeError> {
    width = width.max(1);
    scale(bytes, width)
}
/// Remote handle of [`resize()`](fn@resize).
#[allow(
    non_camel_case_types,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
#[non_exhaustive]
struct resize {}
#[allow(deprecated)]
const _: () = {
    use ::flash::__private as __flash;
    const __RESOURCE: &__flash::Endpoint = &CPU;
    const _: () = __flash::check_queue(__RESOURCE);
    const __SLOTS: (__flash::Slot<Vec<u8>>, __flash::Slot<u32>) = (
        __flash::slot("bytes", "Vec<u8>", &__flash::Json),
        __flash::slot("width", "u32", &__flash::Json),
    );
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __flash::Remote for resize {
        const META: &'static __flash::Meta = &__flash::Meta::new(
                "resize",
                __RESOURCE,
                "CPU",
            )
            .at(
                ::core::module_path!(),
                ::core::file!(),
                ::core::line!(),
                ::core::column!(),
            )
            .is_async(false)
            .returns(&__flash::Returned(Self::RETURNS))
            .params(&[__SLOTS.0.param(), __SLOTS.1.param()])
            .schemas(
                __flash::schemas!([Vec < u8 >, u32] Result < Vec < u8 >, ResizeError >),
            );
        const RETURNS: &'static dyn __flash::Returns<Self::Return> = &__flash::Answer;
        type Door = __flash::Queue;
        type Args = (Vec<u8>, u32);
        type Return = Result<Vec<u8>, ResizeError>;
        fn decode(
            fields: &mut __flash::Fields<'_>,
        ) -> ::core::option::Option<Self::Args> {
            let __a0 = __SLOTS.0.take(fields);
            let __a1 = __SLOTS.1.take(fields);
            ::core::option::Option::Some((__a0?, __a1?))
        }
        fn encode(args: &Self::Args, fields: &mut __flash::FieldWriter) {
            let (__a0, __a1) = args;
            __SLOTS.0.put(fields, __a0);
            __SLOTS.1.put(fields, __a1);
        }
        fn invoke(
            args: Self::Args,
            _: __flash::Scope,
            form: __flash::ReplyForm,
        ) -> __flash::Invocation {
            ::std::boxed::Box::pin(async move {
                let (__a0, __a1) = args;
                __flash::Returns::encode(
                    Self::RETURNS,
                    __flash::blocking(move || resize(__a0, __a1)).await?,
                    form,
                )
            })
        }
    }
    impl resize {
        /// Calls [`resize()`](fn@resize) where it is deployed, or in this process.
        #[allow(dead_code, non_snake_case, unreachable_pub, clippy::too_many_arguments)]
        fn remote(bytes: Vec<u8>, width: u32) -> __flash::Call<Self> {
            __flash::Call::new((bytes, width))
        }
    }
    __flash::register!(resize);
};
